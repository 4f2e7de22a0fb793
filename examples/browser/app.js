const API = "http://127.0.0.1:8000/api/v1";
let token = sessionStorage.getItem("token");

async function call(path, { method = "GET", body, headers = {} } = {}) {
  const answer = await fetch(API + path, {
    method,
    headers: {
      ...headers,
      ...(body && { "Content-Type": "application/json" }),
      ...(token && { Authorization: `Bearer ${token}` }),
    },
    body: body && JSON.stringify(body),
  });
  if (answer.status === 401) forget();
  if (answer.status === 204) return null;
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.detail);
  return content;
}

async function enter(way, email, password) {
  const body = { email, password, ...(way === "signup" && { name: email.split("@")[0].padEnd(2, "_") }) };
  token = (await call(`/auth/${way}`, { method: "POST", body })).access_token;
  sessionStorage.setItem("token", token);
}

function forget() {
  token = null;
  sessionStorage.removeItem("token");
  document.querySelector("#tasks").hidden = true;
  document.querySelector("#sign-in").hidden = false;
}

async function show() {
  const { items } = await call("/tasks?sort=created_at&order=asc");
  document.querySelector("#tasks ul").replaceChildren(...items.map(row));
  document.querySelector("#tasks").hidden = false;
  document.querySelector("#sign-in").hidden = true;
}

function row(task) {
  const tick = Object.assign(document.createElement("input"), { type: "checkbox", checked: task.completed });
  const title = Object.assign(document.createElement("span"), { textContent: task.title });
  const remove = Object.assign(document.createElement("button"), { textContent: "Delete" });
  title.className = task.completed ? "done" : "";
  tick.onchange = attempt(() => complete(task, tick.checked));
  remove.onclick = attempt(() => call(`/tasks/${task.id}`, { method: "DELETE" }));
  const line = document.createElement("li");
  line.append(tick, title, remove);
  return line;
}

async function add(title) {
  const headers = { "Idempotency-Key": crypto.randomUUID() };
  for (let pause = 500; ; pause *= 2) {
    try {
      return await call("/tasks", { method: "POST", body: { title }, headers });
    } catch (error) {
      const nobodyAnswered = error instanceof TypeError;
      if (!nobodyAnswered || pause > 4000) throw error;
    }
    await new Promise((done) => setTimeout(done, pause));
  }
}

async function complete(task, completed) {
  const headers = { "If-Match": `"${task.revision}"` };
  await call(`/tasks/${task.id}/complete`, { method: "PATCH", body: { completed }, headers });
}

const trouble = document.querySelector("#trouble");

async function told(work) {
  try {
    await work();
  } catch (error) {
    trouble.textContent = error.message;
  }
}

function attempt(work) {
  return async (event) => {
    event.preventDefault();
    trouble.textContent = "";
    await told(() => work(event));
    if (token) await told(show);
  };
}

document.querySelector("#sign-in").onsubmit = attempt(async ({ target, submitter }) => {
  await enter(submitter.value, target.email.value, target.password.value);
  target.reset();
});
document.querySelector("#add").onsubmit = attempt(async ({ target }) => {
  await add(target.title.value);
  target.reset();
});
document.querySelector("#sign-out").onclick = attempt(async () => {
  await call("/auth/logout", { method: "POST" });
  forget();
});

if (token) await told(show);
