// The code of docs/providers.md; the address of the API comes with the page's own.
const query = new URLSearchParams(location.search);
sessionStorage.api = query.get("api") ?? sessionStorage.api;
const api = `${sessionStorage.api}/api/v1/auth`;

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

async function signIn(provider) {
  sessionStorage.verifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(sessionStorage.verifier));
  const redirectTo = location.origin + location.pathname;
  location.href = `${api}/${provider}/authorize?${new URLSearchParams({ redirect_to: redirectTo, code_challenge: base64url(digest) })}`;
}

async function comeBack(code) {
  const answer = await fetch(`${api}/exchange`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code, code_verifier: sessionStorage.verifier }),
  });
  return answer.json();
}

const said = document.querySelector("#said");
document.querySelector("#sign-in").onclick = () => signIn("lab");
if (query.has("code")) said.textContent = (await comeBack(query.get("code"))).user?.email ?? "refused";
if (query.has("error")) said.textContent = query.get("error");
window.done = query.has("code") || query.has("error");
