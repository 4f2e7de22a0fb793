// Bun's own server without a framework: it verifies the token, and judges nothing else.
import type { BunRequest } from "bun";
import { answer, create, createAll, one, page, rename, toggle, userOf } from "./tasks";

type Handler<Path extends string> = (user: string, request: BunRequest<Path>) => Response | Promise<Response>;

const signedIn = <Path extends string>(handle: Handler<Path>) => (request: BunRequest<Path>) => {
  const user = userOf(request.headers.get("authorization"));
  return user === null ? new Response(null, { status: 401 }) : handle(user, request);
};

const TASKS = "/api/v1/tasks", TASK = "/api/v1/tasks/:id";

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[2]),
  routes: {
    [TASKS]: {
      GET: signedIn((user, request) => {
        const asked = new URL(request.url).searchParams;
        return answer(page(user, Number(asked.get("limit") ?? 50), asked.get("q")));
      }),
      POST: signedIn(async (user, request) => answer(create(user, await request.json()), 201)),
    },
    [`${TASKS}/bulk`]: {
      POST: signedIn(async (user, request) => {
        const { operations } = await request.json();
        return answer(createAll(user, operations.map((each) => each.data)));
      }),
    },
    [TASK]: {
      GET: signedIn<typeof TASK>((user, request) => answer(one(user, request.params.id))),
      PATCH: signedIn<typeof TASK>(async (user, request) =>
        answer(rename(user, request.params.id, (await request.json()).title)),
      ),
    },
    [`${TASK}/complete`]: {
      PATCH: signedIn<typeof TASK>((user, request) => answer(toggle(user, request.params.id))),
    },
  },
});
