import { ClientKeyError, readClientKey } from "../../auth/mod.ts";
import { type ClientKey, StoreError } from "../../store/mod.ts";
import { doneText, type Form, nameProblem, readForm, redirectDone } from "../forms.ts";
import { Action, Check, Field, Table } from "../parts.tsx";
import type { Site, SiteContext } from "../site.tsx";
import { showPage } from "./layout.tsx";

const PATH = "/account/keys";
const DONE = {
  added: "The key was added.",
  changed: "The key was changed.",
  removed: "The key was removed, and the sessions that it began were ended.",
  gone: "There is no such key any more.",
};

const REFUSALS: Readonly<Record<string, string>> = {
  "already-exists": "That key logs in to an account already.",
  limit: "The account has as many keys as it may: remove one first.",
};

/** What makes a key and a certificate, and a file that phones take. */
const RECIPE = `openssl req -x509 -newkey ec -nodes \\
  -pkeyopt ec_paramgen_curve:prime256v1 \\
  -days 3650 -subj /CN=phone \\
  -keyout key.pem -out cert.pem
openssl pkcs12 -export -out key.p12 \\
  -inkey key.pem -in cert.pem`;

interface Typed {
  readonly name: string;
  readonly pem: string;
  readonly allowsPreauth: boolean;
}

const NOTHING: Typed = { name: "", pem: "", allowsPreauth: false };

/** The keys that log in to the account, and where one is added. */
export async function keysPage(
  context: SiteContext,
  site: Site,
  { problem, typed = NOTHING }: { problem?: string; typed?: Typed } = {},
): Promise<Response> {
  const keys = await site.store.directory.credentials.listClientKeys(context.get("account").id);
  return await showPage(
    context,
    site,
    { title: "TLS keys", path: PATH, done: doneText(context, DONE), problem },
    <>
      <p>
        A program that has a key and its certificate logs in without a password: by AUTHENTICATE
        EXTERNAL, or, where that is allowed, as soon as it connects.
      </p>
      <KeyTable keys={keys} />
      <div class="cards">
        <form method="post" action={PATH} enctype="multipart/form-data" class="card">
          <h2>Add a key</h2>
          <Field
            label="Name"
            name="name"
            value={typed.name}
            hint="Such as phone; the name in the certificate unless given."
          />
          <Field label="Certificate, as a file" name="file" type="file" accept=".pem,.crt,.cer" />
          <Field
            label="or its text"
            name="pem"
            type="textarea"
            value={typed.pem}
            hint="From BEGIN CERTIFICATE to END CERTIFICATE. Never send the key itself."
          />
          <p>
            <Check
              label="Log in as soon as the program connects"
              name="preauth"
              isChecked={typed.allowsPreauth}
            />
          </p>
          <button type="submit">Add the key</button>
        </form>
        <div class="card">
          <h2>Make a key</h2>
          <p>On a computer with OpenSSL:</p>
          <pre tabindex={0} aria-label="Commands that make a key">{RECIPE}</pre>
          <p>
            Send <code>cert.pem</code> here. Give the program <code>key.pem</code> and{" "}
            <code>cert.pem</code>, or <code>key.p12</code>, which has both and is what phones take.
          </p>
          <p>
            Only the key counts: names, dates and signatures of the certificate do not.
          </p>
        </div>
      </div>
    </>,
  );
}

function KeyTable({ keys }: { keys: readonly ClientKey[] }) {
  return (
    <Table
      caption="Keys of the account"
      columns={["Name", "Type", "Fingerprint", "Added", "Logs in when it connects", ""]}
      rows={keys.map(({ name, keyType, fingerprint, created, allowsPreauth }) => [
        name,
        keyType,
        <code>{fingerprint}</code>,
        <span class="nowrap">{new Date(created * 1000).toISOString().slice(0, 10)}</span>,
        <>
          {allowsPreauth ? "Yes" : "No"}{" "}
          <Action
            action={`${PATH}/preauth`}
            text={allowsPreauth ? "Forbid" : "Allow"}
            label={`${allowsPreauth ? "Forbid" : "Allow"} ${name} to log in when it connects`}
            fields={{ fingerprint, allow: allowsPreauth ? "" : "yes" }}
          />
        </>,
        <Action
          action={`${PATH}/remove`}
          text="Remove"
          label={`Remove the key ${name}`}
          fields={{ fingerprint }}
          isDangerous
        />,
      ])}
      empty="No key logs in to this account."
    />
  );
}

/** Adds the key of a certificate. */
export async function addKey(context: SiteContext, site: Site): Promise<Response> {
  const { id: accountId, address } = context.get("account");
  const form = await readForm(context);
  const typed = {
    name: form.text("name").trim(),
    pem: form.text("pem"),
    allowsPreauth: form.text("preauth") === "yes",
  };
  const refuse = (problem: string) => {
    // Whoever sent a private key by mistake does not get it back.
    const isPrivate = typed.pem.includes("PRIVATE KEY");
    return keysPage(context, site, { problem, typed: isPrivate ? { ...typed, pem: "" } : typed });
  };
  if (typed.name !== "") {
    const problem = nameProblem(typed.name);
    if (problem !== undefined) return await refuse(problem);
  }
  try {
    const key = readClientKey(await certificateOf(form));
    await site.store.directory.credentials.addClientKey({
      ...key,
      name: typed.name || key.name.replace(/\p{Cc}/gu, " ").slice(0, 100),
      accountId,
      address,
      allowsPreauth: typed.allowsPreauth,
    });
  } catch (error) {
    const text = error instanceof ClientKeyError
      ? error.message
      : error instanceof StoreError
      ? REFUSALS[error.code]
      : undefined;
    if (text === undefined) throw error;
    return await refuse(text);
  }
  return redirectDone(context, PATH, "added");
}

/** The first certificate of the text or file that was sent, in PEM, or a file in DER. */
async function certificateOf(form: Form): Promise<string | Uint8Array> {
  const file = form.file("file");
  const bytes = file === undefined
    ? new TextEncoder().encode(form.text("pem"))
    : new Uint8Array(await file.arrayBuffer());
  if (bytes.length === 0) throw new ClientKeyError("Send a certificate: a file, or its text.");
  // A private key may stand in front: it is not kept.
  return /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/
    .exec(new TextDecoder("latin1").decode(bytes))?.[0] ?? bytes;
}

/** Lets a key log in when it connects, or no longer. */
export async function changeKey(context: SiteContext, site: Site): Promise<Response> {
  const form = await readForm(context);
  const key = await ownKey(context, site, form);
  if (key === undefined) return redirectDone(context, PATH, "gone");
  const allowsPreauth = form.text("allow") === "yes";
  await site.store.directory.credentials.changeClientKey(key.fingerprint, {
    name: key.name,
    allowsPreauth,
  });
  return redirectDone(context, PATH, "changed");
}

/** Removes a key, and ends the sessions that it began. */
export async function removeKey(context: SiteContext, site: Site): Promise<Response> {
  const key = await ownKey(context, site, await readForm(context));
  if (key === undefined) return redirectDone(context, PATH, "gone");
  await site.store.directory.credentials.removeClientKey(key.fingerprint);
  site.host.tellSecurity(key.accountId);
  return redirectDone(context, PATH, "removed");
}

async function ownKey(
  context: SiteContext,
  site: Site,
  form: Form,
): Promise<ClientKey | undefined> {
  const key = await site.store.directory.credentials.findClientKey(form.text("fingerprint"));
  return key?.accountId === context.get("account").id ? key : undefined;
}
