// A client of openapi-typescript's types: it creates, pages, toggles without a body, and reads a problem.
import createClient from "openapi-fetch";
import type { components, paths } from "./v1.js";

const [url, token] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${token}` } });

const made = await client.POST("/api/v1/tasks", { body: { title: "Buy milk" } });
await client.POST("/api/v1/tasks", { body: { title: "Buy tea", priority: "high" } });
const first = await client.GET("/api/v1/tasks", { params: { query: { limit: 1 } } });
const second = await client.GET("/api/v1/tasks", { params: { query: { limit: 1, cursor: first.data!.next_cursor! } } });
const path = { task_id: made.data!.id };
const toggled = await client.PATCH("/api/v1/tasks/{task_id}/complete", { params: { path } });
const bulk = await client.POST("/api/v1/tasks/bulk", {
  body: { operations: [{ op: "reopen", id: path.task_id }, { op: "create", data: { title: "Buy oats" } }] },
});
const refused = await client.POST("/api/v1/tasks", { body: { title: "" } });
const problem: components["schemas"]["Problem"] = refused.error!;
const code: components["schemas"]["ProblemCode"] = problem.code;

console.log(JSON.stringify({
  made: made.data!.title,
  pages: [first.data!.items[0]!.title, second.data!.items[0]!.title],
  toggled: toggled.data!.completed,
  bulk: bulk.data!.results.map((each) => each.status),
  problem: [code, problem.errors![0]!.field],
}));
