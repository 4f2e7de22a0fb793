// What the guide leaves to its reader: a form to sign in, and a way out that forgets the guide's own signOut.
import { createRoot } from "react-dom/client";
import { authClient } from "@/lib/auth-client";
import { Tasks } from "@/components/tasks";

function Page() {
  const { data, isPending } = authClient.useSession();
  if (isPending) return null;
  if (!data) return <SignIn />;
  return (
    <>
      <h1>{data.user.name}</h1>
      <Tasks />
      <button id="leave" onClick={() => authClient.signOut()}>Leave</button>
    </>
  );
}

function SignIn() {
  async function signIn(form: FormData) {
    await authClient.signIn.email({ email: String(form.get("email")), password: String(form.get("password")) });
  }
  return (
    <form id="sign-in" action={signIn}>
      <input name="email" />
      <input name="password" type="password" />
      <button>Sign in</button>
    </form>
  );
}

createRoot(document.querySelector("main")!).render(<Page />);
