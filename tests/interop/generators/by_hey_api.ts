// A client that @hey-api/openapi-ts generates: it creates, pages, toggles without a body, and reads a problem.
import { client } from "./generated/client.gen.js";
import { tasksBulk, tasksComplete, tasksCreate, tasksList } from "./generated/sdk.gen.js";

const [url, token] = process.argv.slice(2);
client.setConfig({ baseUrl: url, auth: token });

const made = await tasksCreate({ body: { title: "Buy milk" } });
await tasksCreate({ body: { title: "Buy tea", priority: "high" } });
const first = await tasksList({ query: { limit: 1 } });
const second = await tasksList({ query: { limit: 1, cursor: first.data!.next_cursor! } });
const path = { task_id: made.data!.id };
const toggled = await tasksComplete({ path });
const bulk = await tasksBulk({
  body: { operations: [{ op: "reopen", id: path.task_id }, { op: "create", data: { title: "Buy oats" } }] },
});
const refused = await tasksCreate({ body: { title: "" } });
const problem = refused.error!;

console.log(JSON.stringify({
  made: made.data!.title,
  pages: [first.data!.items[0]!.title, second.data!.items[0]!.title],
  toggled: toggled.data!.completed,
  bulk: bulk.data!.results.map((each) => each.status),
  problem: [problem.code, problem.errors![0]!.field],
}));
