// What both servers share: the token, verified in each request, and the statements over the one file.
import { Database } from "bun:sqlite";
import { timingSafeEqual } from "node:crypto";

const secret = process.env.SECRET_KEY!;
const database = new Database(process.env.DATABASE_URL!.replace("sqlite:///", ""));
database.run("PRAGMA journal_mode = WAL");
database.run("PRAGMA synchronous = FULL");

export type Draft = { title: string; description?: string | null; priority?: string };

const decoded = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());

/** The user whose token this is; null where it is not valid. */
export function userOf(authorization: string | null | undefined): string | null {
  const [head, claims, signature] = (authorization ?? "").slice("Bearer ".length).split(".");
  if (!head || !claims || !signature) return null;
  const expected = new Bun.CryptoHasher("sha256", secret).update(`${head}.${claims}`).digest();
  const given = Buffer.from(signature, "base64url");
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
  const { sub, aud, iss, exp } = decoded(claims);
  const isOurs = decoded(head).alg === "HS256" && aud === "taskwell" && iss === "taskwell";
  return isOurs && exp > Date.now() / 1000 ? sub : null;
}

const TASK = `json_object('id', id, 'user_id', user_id, 'title', title, 'description', description,
  'priority', priority, 'completed', json(iif(completed_at IS NULL, 'false', 'true')), 'completed_at', completed_at,
  'due_date', due_date, 'due_at', due_at, 'list_id', list_id, 'tags', json(tags), 'revision', revision,
  'created_at', created_at, 'updated_at', updated_at)`;
const LISTED = `SELECT ${TASK} FROM tasks WHERE user_id = ?`;
const NEWEST = "ORDER BY created_at DESC LIMIT ?";
const NEXT = "UPDATE users SET revision = revision + 1 WHERE id = ? RETURNING revision";

const listed = database.prepare(`${LISTED} ${NEWEST}`);
const searched = database.prepare(`${LISTED} AND title LIKE ? ${NEWEST}`);
const found = database.prepare(`${LISTED} AND id = ?`);
const nextRevision = database.prepare(NEXT);
const inserted = database.prepare(`INSERT INTO tasks (id, user_id, title, description, priority, tags, revision,
  created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, '[]', ?6, ?7, ?7) RETURNING ${TASK}`);
const renamed = database.prepare(`UPDATE tasks SET title = ?, revision = ?, updated_at = ?
  WHERE user_id = ? AND id = ? RETURNING ${TASK}`);
const toggled = database.prepare(`UPDATE tasks SET completed_at = iif(completed_at IS NULL, ?1, NULL),
  revision = ?2, updated_at = ?1 WHERE user_id = ?3 AND id = ?4 RETURNING ${TASK}`);

type Text = [string];
const text = (rows: unknown[][]): string | null => (rows as Text[])[0]?.[0] ?? null;
const revision = (user: string) => nextRevision.values(user)[0]![0] as number;
const now = () => new Date().toISOString();

/** The newest tasks as the JSON text of a page. */
export function page(user: string, limit: number, words?: string | null): string {
  const rows = words ? searched.values(user, `%${words}%`, limit) : listed.values(user, limit);
  return `{"items":[${(rows as Text[]).map(([task]) => task).join(",")}]}`;
}

export const one = (user: string, id: string) => text(found.values(user, id));

const made = (user: string, { title, description, priority }: Draft) =>
  text(inserted.values(Bun.randomUUIDv7(), user, title, description ?? null, priority ?? "medium", revision(user), now()))!;

export const create = database.transaction(made).immediate;
export const createAll = database.transaction(
  (user: string, drafts: Draft[]) => `{"results":[${drafts.map((draft) => made(user, draft)).join(",")}]}`,
).immediate;
export const rename = database.transaction(
  (user: string, id: string, title: string) => text(renamed.values(title, revision(user), now(), user, id)),
).immediate;
export const toggle = database.transaction(
  (user: string, id: string) => text(toggled.values(now(), revision(user), user, id)),
).immediate;

const JSON_TYPE = { "content-type": "application/json" };
const NOT_FOUND = '{"detail":"Not found"}';

export function answer(content: string | null, status = 200): Response {
  return new Response(content ?? NOT_FOUND, { status: content === null ? 404 : status, headers: JSON_TYPE });
}
