// A certified provider with its own login and consent pages. PORT is its port, REDIRECT_URI where Taskwell's callback is.
import Provider from "oidc-provider";

const issuer = `http://127.0.0.1:${process.env.PORT}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "taskwell",
      client_secret: "lab-secret-0123456789",
      token_endpoint_auth_method: "client_secret_basic",
      redirect_uris: [process.env.REDIRECT_URI],
    },
  ],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  cookies: { keys: ["lab-cookies"] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: id, email: `${id}@example.com`, email_verified: true }),
  }),
});

provider.listen(Number(process.env.PORT), "127.0.0.1", () => console.log("ready"));
