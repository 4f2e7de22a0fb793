// The address of the API comes with the page's own; the rest is the code of docs/providers.md.
import { comeBack, signIn } from "./sign-in.js";

const query = new URLSearchParams(location.search);
sessionStorage.api = query.get("api") ?? sessionStorage.api;

const said = document.querySelector("#said");
document.querySelector("#sign-in").onclick = () => signIn(sessionStorage.api, "lab");
if (query.has("code")) said.textContent = (await comeBack(sessionStorage.api)).user?.email ?? "refused";
if (query.has("error")) said.textContent = query.get("error");
window.done = query.has("code") || query.has("error");
