// Serves the guide's own code, built with esbuild: a page for the browser, a server component and a route handler.
// `next/headers` gives the headers of the request that is being answered, as it does in Next.js.
import { AsyncLocalStorage } from "node:async_hooks";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { renderToStaticMarkup } from "react-dom/server";

const HTML =
  '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><main></main><script src="/page.js"></script>';
const MODULES = {
  "@/lib/auth": "export const auth = lab.auth",
  "next/headers": "export const headers = lab.headers",
  "server-only": "",
};
const NEXT = {
  name: "next",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: new RegExp(`^(${Object.keys(MODULES).join("|")})$`) }, ({ path }) => ({ path, namespace: "next" }));
    onLoad({ filter: /.*/, namespace: "next" }, ({ path }) => ({ contents: MODULES[path] }));
  },
};

export async function pages(folder, auth, taskwell) {
  const requests = new AsyncLocalStorage();
  globalThis.lab = { auth, headers: async () => requests.getStore() };
  const { browser, TasksPage, route } = await built(folder, JSON.stringify(taskwell));

  async function answered(req) {
    const show = (text, type = "text/html") => new Response(text, { headers: { "Content-Type": type } });
    if (req.url === "/page.js") return show(browser, "text/javascript");
    if (req.url === "/tasks") return show(renderToStaticMarkup(await TasksPage()));
    if (req.url !== "/tasks/api") return show(HTML);
    const body = req.method === "POST" ? Readable.toWeb(req) : undefined;
    return route[req.method](new Request(`http://lab${req.url}`, { method: req.method, body, duplex: "half" }));
  }

  return (req, res) =>
    requests.run(new Headers(req.headers), async () => {
      const answer = await answered(req);
      res.writeHead(answer.status, Object.fromEntries(answer.headers));
      res.end(await answer.text());
    });
}

async function built(folder, taskwell) {
  const options = {
    alias: { "@": folder },
    bundle: true,
    define: { "process.env.NODE_ENV": '"production"', "process.env.TASKWELL_URL": taskwell },
    jsx: "automatic",
    nodePaths: [join(import.meta.dirname, "node_modules")],
    plugins: [NEXT],
  };
  const page = await build({
    ...options,
    define: { ...options.define, "process.env.NEXT_PUBLIC_TASKWELL_URL": taskwell, "process.env": "{}" },
    entryPoints: [join(folder, "page.tsx")],
    write: false,
  });
  await build({
    ...options,
    entryPoints: { component: join(folder, "app/tasks/page.tsx"), route: join(folder, "app/tasks/api/route.ts") },
    format: "esm",
    outdir: join(folder, "built"),
    outExtension: { ".js": ".mjs" },
    platform: "node",
  });
  const load = (name) => import(pathToFileURL(join(folder, "built", name)));
  return {
    browser: page.outputFiles[0].text,
    TasksPage: (await load("component.mjs")).default,
    route: await load("route.mjs"),
  };
}
