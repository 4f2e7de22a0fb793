// The same with Elysia, which judges bodies and queries too.
import { Elysia, t } from "elysia";
import { answer, create, createAll, one, page, rename, toggle, userOf } from "./tasks";

const Title = t.String({ minLength: 1, maxLength: 200 });
const Draft = t.Object({
  title: Title,
  description: t.Optional(t.Nullable(t.String({ maxLength: 2000 }))),
  priority: t.Optional(t.UnionEnum(["low", "medium", "high", "urgent"])),
});
const Asked = t.Object({ limit: t.Numeric({ minimum: 1, maximum: 200, default: 50 }), q: t.Optional(t.String()) });
const Bulk = t.Object({ operations: t.Array(t.Object({ op: t.Literal("create"), data: Draft }), { maxItems: 100 }) });

new Elysia({ prefix: "/api/v1/tasks" })
  .resolve(({ headers, status }) => {
    const user = userOf(headers.authorization);
    return user === null ? status(401) : { user };
  })
  .get("", ({ user, query }) => answer(page(user, query.limit, query.q)), { query: Asked })
  .post("", ({ user, body }) => answer(create(user, body), 201), { body: Draft })
  .post("/bulk", ({ user, body }) => answer(createAll(user, body.operations.map((each) => each.data))), { body: Bulk })
  .get("/:id", ({ user, params }) => answer(one(user, params.id)))
  .patch("/:id", ({ user, params, body }) => answer(rename(user, params.id, body.title)), {
    body: t.Object({ title: Title }),
  })
  .patch("/:id/complete", ({ user, params }) => answer(toggle(user, params.id)))
  .listen({ hostname: "127.0.0.1", port: Number(process.argv[2]) });
