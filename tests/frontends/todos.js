// The todos front end in a page of another origin: it sends what that front end sends, and shows what it reads.
const API = "API_ADDRESS";
const ADA = { email: "ada@example.com", password: "engine 1843" };
let token = null;

async function call(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(API + path, { method, headers, body: body && JSON.stringify(body) });
  const content = await answer.json();
  if (!answer.ok) throw new Error(`${answer.status} ${content.detail}`);
  return content;
}

function show(text) {
  document.querySelector("#seen").append(Object.assign(document.createElement("li"), { textContent: text }));
}

async function refused(asked) {
  await asked.then(() => show("not refused"), (error) => show(error.message));
}

token = (await call("POST", "/api/auth/signup", { ...ADA, name: "Ada" })).token;
await refused(call("POST", "/api/auth/login", { ...ADA, password: "wrong 1843" }));
token = (await call("POST", "/api/auth/login", ADA)).token;
const user = await call("GET", "/api/auth/me");
show(user.email);

const todos = `/api/users/${user.id}/todos`;
const milk = await call("POST", todos, { title: "Buy milk", priority: "high" });
await call("PATCH", `${todos}/${milk.id}/complete`, { completed: true });
const edited = await call("PUT", `${todos}/${milk.id}`, { title: "Buy tea", description: "green", priority: "low" });
show(`${edited.title}, ${edited.description}, ${edited.priority}, ${edited.completed}`);
show(`${(await call("GET", `${todos}?status=completed`)).total} completed`);
show((await call("DELETE", `${todos}/${milk.id}`)).message);
await refused(call("GET", `${todos}/${milk.id}`));
await refused(call("GET", "/api/users/somebody-else/todos"));
await call("POST", "/api/auth/logout");
await refused(call("GET", "/api/auth/me"));
show("the end");
