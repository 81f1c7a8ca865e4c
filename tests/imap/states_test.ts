import assert from "node:assert/strict";
import { createRegistry, type State } from "../../src/imap/mod.ts";
import { type CommandText, literal, type Result, type TestClient } from "../support/client.ts";
import { simpleMessage } from "../support/messages.ts";
import { PASSWORD, type TestServer, USER, withServer } from "../support/server.ts";

/** A command line, or what a client does whose command begins with `text`. */
type Use =
  | CommandText
  | { readonly text: string; readonly run: (client: TestClient) => Promise<Result | void> };

interface Row {
  /** States in which the command is allowed, by their first letters. */
  readonly states: "n" | "nas" | "as" | "s";
  /** Answered OK where the command is allowed, and BAD elsewhere. `#` is a new number for each. */
  readonly right: readonly Use[];
  /** Answered NO with this response code where the command is allowed. */
  readonly refused?: readonly (readonly [CommandText, code: string | undefined])[];
  /** Answered BAD in every state. */
  readonly wrong: readonly CommandText[];
  /** Commands of a second client before each right use. */
  readonly before?: readonly string[];
  /** Answered NO in a mailbox that was opened by EXAMINE. */
  readonly isRefusedReadOnly?: boolean;
}

const bare = (name: string) => ({ right: [name, name.toLowerCase()], wrong: [`${name} x`] });
const message = literal(simpleMessage());
const PLAIN = btoa(`\0${USER}\0${PASSWORD}`);

/** For commands with a sequence set in front and `rest` behind it. */
const sets = (name: string, rest: string) => ({
  right: ["1", "*", "1:*", "2,1", "1:1"].map((set) => `${name} ${set}${rest}`),
  wrong: ["", "0", "x", "1:", "-1", "4294967296"].map((set) => `${name} ${set}${rest}`),
});
/** Numbers above the number of messages are BAD (RFC 9051 6.4.8), UIDs that are not there are not. */
const TOO_HIGH = 1_000_000;

const TABLE: Readonly<Record<string, Row>> = {
  CAPABILITY: { states: "nas", ...bare("CAPABILITY") },
  NOOP: { states: "nas", ...bare("NOOP") },
  LOGOUT: { states: "nas", ...bare("LOGOUT") },
  UNAUTHENTICATE: { states: "as", ...bare("UNAUTHENTICATE") },
  ID: {
    states: "nas",
    right: ["ID NIL", "ID ()", 'ID ("name" "x" "os" NIL)', ["ID (", literal("name"), ' "x")']],
    wrong: ["ID", "ID x", 'ID ("name")', 'ID ("name" "x"', 'ID ("a" "b" "A" "c")', "ID NIL NIL"],
  },
  STARTTLS: {
    states: "n",
    right: [{ text: "STARTTLS", run: (client) => client.startTls() }],
    wrong: ["STARTTLS x"],
  },
  LOGIN: {
    states: "n",
    right: [
      `LOGIN ${USER} "${PASSWORD}"`,
      ["LOGIN ", literal(USER), " ", literal(PASSWORD)],
      ["LOGIN ", literal(USER, { nonSync: true }), ` "${PASSWORD}"`],
    ],
    refused: [
      [`LOGIN ${USER} wrong`, "AUTHENTICATIONFAILED"],
      ['LOGIN "" ""', "AUTHENTICATIONFAILED"],
    ],
    wrong: ["LOGIN", "LOGIN x", "LOGIN a b c", 'LOGIN "a b', ["LOGIN a ", literal("\0")]],
  },
  AUTHENTICATE: {
    states: "n",
    right: [
      `AUTHENTICATE PLAIN ${PLAIN}`,
      {
        text: "AUTHENTICATE PLAIN",
        run: (client) => exchange(client, "AUTHENTICATE PLAIN", PLAIN),
      },
    ],
    refused: [
      [`AUTHENTICATE PLAIN ${btoa("\0x\0y")}`, "AUTHENTICATIONFAILED"],
      ["AUTHENTICATE NONE", undefined],
    ],
    wrong: ["AUTHENTICATE", "AUTHENTICATE PLAIN !", "AUTHENTICATE PLAIN = x", "AUTHENTICATE (x)"],
  },
  ENABLE: {
    states: "as",
    right: ["ENABLE CONDSTORE", "enable QRESYNC utf8=accept", "ENABLE IMAP4rev2", "ENABLE X-NONE"],
    wrong: ["ENABLE", "ENABLE (CONDSTORE)", 'ENABLE "CONDSTORE"'],
  },
  SELECT: {
    states: "as",
    right: ["SELECT INBOX", "SELECT inbox", 'SELECT "Box" (CONDSTORE)', [
      "SELECT ",
      literal("Box"),
    ]],
    refused: [["SELECT missing", "NONEXISTENT"], ['SELECT ""', "CANNOT"]],
    wrong: ["SELECT", "SELECT a b", "SELECT Box ()", "SELECT Box (X)", "SELECT a&b", "SELECT (a)"],
  },
  EXAMINE: {
    states: "as",
    right: ["EXAMINE INBOX", "EXAMINE Box (CONDSTORE)"],
    refused: [["EXAMINE missing", "NONEXISTENT"]],
    wrong: ["EXAMINE", "EXAMINE Box (QRESYNC (1 1))"],
  },
  CREATE: {
    states: "as",
    right: ["CREATE made#", "CREATE made#/", "CREATE a#/b/c", "CREATE u# (USE (\\Sent))"],
    refused: [
      ["CREATE INBOX", "ALREADYEXISTS"],
      ["CREATE Box", "ALREADYEXISTS"],
      ["CREATE a//b", "CANNOT"],
      ["CREATE x (USE (\\All))", "USEATTR"],
    ],
    wrong: ["CREATE", "CREATE a b", "CREATE x (USE)", "CREATE x (X)", "CREATE &AGE-"],
  },
  DELETE: {
    states: "as",
    before: ["CREATE gone#"],
    right: ["DELETE gone#"],
    refused: [["DELETE missing", "NONEXISTENT"], ["DELETE INBOX", "CANNOT"]],
    wrong: ["DELETE", "DELETE a b"],
  },
  RENAME: {
    states: "as",
    before: ["CREATE old#"],
    right: ["RENAME old# new#", "RENAME old# deep#/x/y"],
    refused: [
      ["RENAME missing x", "NONEXISTENT"],
      ["RENAME Box INBOX", "ALREADYEXISTS"],
      ["RENAME Box Other", "ALREADYEXISTS"],
    ],
    wrong: ["RENAME", "RENAME a", "RENAME a b c"],
  },
  SUBSCRIBE: {
    states: "as",
    right: ["SUBSCRIBE Box", "SUBSCRIBE INBOX"],
    wrong: ["SUBSCRIBE", "SUBSCRIBE a b"],
  },
  UNSUBSCRIBE: {
    states: "as",
    right: ["UNSUBSCRIBE Box"],
    wrong: ["UNSUBSCRIBE", "UNSUBSCRIBE a b"],
  },
  LIST: {
    states: "as",
    right: [
      'LIST "" ""',
      'LIST "" *',
      'LIST "" "%/%"',
      ['LIST "" ', literal("*")],
      'LIST (SUBSCRIBED RECURSIVEMATCH) "" (* Box) RETURN (CHILDREN STATUS (MESSAGES UIDNEXT))',
    ],
    wrong: [
      "LIST",
      'LIST ""',
      'LIST "" ()',
      'LIST (X) "" *',
      'LIST "" * RETURN (X)',
      'LIST "" a&b',
    ],
  },
  LSUB: { states: "as", right: ['LSUB "" *', 'LSUB "" "%"'], wrong: ["LSUB", 'LSUB ""'] },
  NAMESPACE: { states: "as", ...bare("NAMESPACE") },
  STATUS: {
    states: "as",
    right: ["STATUS Box (MESSAGES)", "STATUS inbox (UIDNEXT UIDVALIDITY UNSEEN)"],
    refused: [["STATUS missing (MESSAGES)", "NONEXISTENT"]],
    wrong: ["STATUS", "STATUS Box", "STATUS Box ()", "STATUS Box (X)", "STATUS Box MESSAGES"],
  },
  APPEND: {
    states: "as",
    right: [
      ["APPEND Box ", message],
      ["APPEND Box (\\Seen $Junk) ", message],
      ['APPEND Box () " 7-Feb-1994 21:52:25 -0800" ', literal("x", { nonSync: true })],
      ["APPEND ", literal("Box"), " ", message, " (\\Draft) ", message],
      ["APPEND Box ", literal("x", { binary: true })],
      ["APPEND Box UTF8 (", literal("x", { binary: true }), ")"],
    ],
    refused: [
      [["APPEND missing ", message], "TRYCREATE"],
      [["APPEND missing ", literal("x", { nonSync: true })], "TRYCREATE"],
      [["APPEND Box ", literal("")], undefined],
      [["APPEND a//b ", message], "CANNOT"],
    ],
    wrong: [
      "APPEND",
      "APPEND Box",
      'APPEND Box "x"',
      ["APPEND Box (\\Bad) ", message],
      ["APPEND Box (\\Seen ", message],
      ["APPEND Box ", literal("x", { nonSync: true }), " x"],
      ['APPEND Box "7 Feb 1994" ', literal("x", { nonSync: true })],
    ],
  },
  IDLE: {
    states: "as",
    right: [{ text: "IDLE", run: async (client) => (await client.idle()).done() }],
    wrong: ["IDLE x"],
  },
  GETQUOTA: {
    states: "as",
    right: ['GETQUOTA ""'],
    refused: [["GETQUOTA x", "NONEXISTENT"]],
    wrong: ["GETQUOTA", 'GETQUOTA "" x'],
  },
  GETQUOTAROOT: {
    states: "as",
    right: ["GETQUOTAROOT Box", "GETQUOTAROOT missing"],
    wrong: ["GETQUOTAROOT", "GETQUOTAROOT a b"],
  },
  COMPRESS: {
    states: "as",
    right: [{ text: "COMPRESS DEFLATE", run: (client) => client.compress() }],
    wrong: ["COMPRESS", "COMPRESS X", "COMPRESS DEFLATE x"],
  },
  ESEARCH: {
    states: "as",
    right: ["ESEARCH IN (MAILBOXES Box) ALL", "ESEARCH IN (PERSONAL) RETURN (COUNT) SEEN"],
    wrong: ["ESEARCH", "ESEARCH IN () ALL", "ESEARCH IN (PERSONAL)", "ESEARCH IN (X) ALL"],
  },
  NOTIFY: {
    states: "as",
    right: [
      "NOTIFY NONE",
      "NOTIFY SET STATUS (PERSONAL (MailboxName))",
      "NOTIFY SET (SELECTED NONE)",
    ],
    wrong: ["NOTIFY", "NOTIFY X", "NOTIFY SET", "NOTIFY SET (PERSONAL (MessageNew))"],
  },
  CHECK: { states: "s", ...bare("CHECK") },
  CLOSE: { states: "s", ...bare("CLOSE") },
  UNSELECT: { states: "s", ...bare("UNSELECT") },
  EXPUNGE: { states: "s", ...bare("EXPUNGE"), isRefusedReadOnly: true },
  "UID EXPUNGE": { states: "s", ...sets("UID EXPUNGE", ""), isRefusedReadOnly: true },
  FETCH: {
    states: "s",
    right: [...sets("FETCH", " FLAGS").right, "FETCH 1 (UID BODY[]<0.5>)", "FETCH 1 ALL"],
    wrong: [
      ...sets("FETCH", " FLAGS").wrong,
      `FETCH ${TOO_HIGH} FLAGS`,
      "FETCH",
      "FETCH 1",
      "FETCH 1 ()",
      "FETCH 1 X",
      "FETCH 1 (ALL)",
      "FETCH 1 BODY[",
      "FETCH 1 BODY[X]",
      "FETCH 1 BODY[0]",
      "FETCH 1 FLAGS (CHANGEDSINCE)",
      "FETCH 1 FLAGS x",
    ],
  },
  "UID FETCH": {
    states: "s",
    right: [...sets("UID FETCH", " FLAGS").right, `UID FETCH ${TOO_HIGH} FLAGS`],
    wrong: [...sets("UID FETCH", " FLAGS").wrong, "UID FETCH", "UID FETCH 1 FLAGS (VANISHED)"],
  },
  STORE: {
    states: "s",
    right: [
      ...sets("STORE", " +FLAGS (\\Seen)").right,
      "STORE 1 FLAGS ()",
      "STORE 1 -FLAGS.SILENT \\Seen \\Draft",
      "STORE 1 (UNCHANGEDSINCE 99999) FLAGS x",
    ],
    wrong: [
      ...sets("STORE", " FLAGS ()").wrong,
      `STORE ${TOO_HIGH} FLAGS ()`,
      "STORE",
      "STORE 1",
      "STORE 1 FLAGS",
      "STORE 1 FLAGS (\\X)",
      "STORE 1 FLAGS (a",
      "STORE 1 XFLAGS (a)",
      "STORE 1 () FLAGS a",
    ],
    isRefusedReadOnly: true,
  },
  "UID STORE": {
    states: "s",
    right: [...sets("UID STORE", " +FLAGS a").right, `UID STORE ${TOO_HIGH} FLAGS a`],
    wrong: [...sets("UID STORE", " FLAGS ()").wrong, "UID STORE 1 FLAGS (\\X)"],
    isRefusedReadOnly: true,
  },
  COPY: {
    states: "s",
    ...sets("COPY", " Other"),
    refused: [["COPY 1 missing", "TRYCREATE"]],
  },
  "UID COPY": {
    states: "s",
    right: [...sets("UID COPY", " Other").right, `UID COPY ${TOO_HIGH} Other`],
    wrong: [...sets("UID COPY", " Other").wrong, "UID COPY 1", "UID COPY"],
    refused: [["UID COPY 1:* missing", "TRYCREATE"]],
  },
  MOVE: {
    states: "s",
    right: ["MOVE 1 Other", "MOVE 2:3 Other", "MOVE 1 Box"],
    wrong: [...sets("MOVE", " Other").wrong, `MOVE ${TOO_HIGH} Other`, "MOVE 1", "MOVE"],
    refused: [["MOVE 1 missing", "TRYCREATE"]],
    isRefusedReadOnly: true,
  },
  "UID MOVE": {
    states: "s",
    right: [`UID MOVE ${TOO_HIGH} Other`, "UID MOVE * Other"],
    wrong: [...sets("UID MOVE", " Other").wrong, "UID MOVE 1", "UID MOVE"],
    refused: [["UID MOVE 1:* missing", "TRYCREATE"]],
    isRefusedReadOnly: true,
  },
  REPLACE: {
    states: "s",
    right: [["REPLACE 1 Box ", message], ["REPLACE * Other (\\Seen) ", message]],
    refused: [[["REPLACE 1 missing ", message], "TRYCREATE"]],
    wrong: [
      "REPLACE",
      "REPLACE 1 Box",
      ["REPLACE 1:2 Box ", message],
      ["REPLACE $ Box ", message],
      ["REPLACE 1 Box ", literal("x", { nonSync: true }), " x"],
    ],
    isRefusedReadOnly: true,
  },
  "UID REPLACE": {
    states: "s",
    right: [["UID REPLACE * Box ", message]],
    wrong: ["UID REPLACE", ["UID REPLACE x Box ", message]],
    isRefusedReadOnly: true,
  },
  SEARCH: {
    states: "s",
    right: [
      "SEARCH ALL",
      "SEARCH 1:* NOT (SEEN OR FROM a SUBJECT b)",
      ["SEARCH CHARSET UTF-8 TEXT ", literal("é")],
      "SEARCH RETURN (MIN COUNT) UNSEEN",
    ],
    refused: [["SEARCH CHARSET X-NONE TEXT a", undefined]],
    wrong: [
      "SEARCH",
      "SEARCH X",
      "SEARCH ()",
      "SEARCH (ALL",
      "SEARCH NOT",
      "SEARCH OR SEEN",
      "SEARCH ON today",
      "SEARCH RETURN (X) ALL",
      ["SEARCH TEXT ", literal("\0")],
    ],
  },
  "UID SEARCH": {
    states: "s",
    right: ["UID SEARCH ALL", "UID SEARCH UID 1:*"],
    wrong: ["UID SEARCH", "UID SEARCH X"],
  },
  CANCELUPDATE: {
    states: "s",
    right: [{
      text: "CANCELUPDATE of a search that is updated",
      run: async (client) => {
        const tag = client.begin();
        await client.finish(tag, "SEARCH RETURN (UPDATE) ALL");
        return await client.cmd(`CANCELUPDATE "${tag}"`);
      },
    }],
    refused: [['CANCELUPDATE "nope"', undefined]],
    wrong: ["CANCELUPDATE", "CANCELUPDATE nope", 'CANCELUPDATE "a" b'],
  },
  GETMETADATA: {
    states: "as",
    right: ['GETMETADATA "" /private/comment', "GETMETADATA (MAXSIZE 9) Box (/shared/comment)"],
    refused: [["GETMETADATA missing /shared/comment", "NONEXISTENT"]],
    wrong: ["GETMETADATA", "GETMETADATA Box", "GETMETADATA Box (x*)", "GETMETADATA Box ()"],
  },
  SETMETADATA: {
    states: "as",
    right: [
      'SETMETADATA Box (/private/comment "x")',
      ["SETMETADATA Box (/private/comment ", literal("\0", { binary: true }), ")"],
      'SETMETADATA "" (/shared/comment NIL)',
    ],
    refused: [['SETMETADATA missing (/private/comment "x")', "NONEXISTENT"]],
    wrong: ["SETMETADATA", "SETMETADATA Box", "SETMETADATA Box ()", "SETMETADATA Box (/a)"],
  },
};

/** Sends a command that asks once, and the answer. */
async function exchange(client: TestClient, command: string, line: string): Promise<Result> {
  const tag = client.begin();
  client.send(`${tag} ${command}\r\n`);
  assert.match(await client.response(), /^\+/);
  client.send(`${line}\r\n`);
  return await client.answer(tag);
}

const STATES: Readonly<Record<State, "n" | "a" | "s">> = {
  notAuthenticated: "n",
  authenticated: "a",
  selected: "s",
};

async function connect(server: TestServer, state: State, box = "Box"): Promise<TestClient> {
  if (state === "notAuthenticated") return await server.connect();
  return await server.login(state === "selected" ? box : undefined);
}

/** The state in which a connection is, by what it lets a client do. */
async function stateOf(client: TestClient): Promise<State> {
  if ((await client.cmd("NAMESPACE")).status === "BAD") return "notAuthenticated";
  return (await client.cmd("CHECK")).status === "BAD" ? "authenticated" : "selected";
}

/** A server with two mailboxes that are big enough for all that is moved away. */
async function prepare(server: TestServer): Promise<TestClient> {
  const helper = await server.login();
  for (const name of ["Box", "Other"]) {
    await helper.ok(`CREATE ${name}`);
    for (let i = 0; i < 12; i++) await helper.append(name, simpleMessage(`number ${i}`));
  }
  return helper;
}

let uses = 0;
/** Puts the present number in the place of `#`. */
function numbered<T extends CommandText>(text: T): T {
  const put = (part: string) => part.replaceAll("#", `${uses}`);
  return (typeof text === "string"
    ? put(text)
    : text.map((part) => typeof part === "string" ? put(part) : part)) as T;
}

const shown = (value: unknown) => JSON.stringify(value);

Deno.test("the table has every command of the registry, with the states that it declares", () => {
  const { commands } = createRegistry();
  for (const [name, { states }] of commands) {
    const row = TABLE[name];
    assert.ok(row, `${name} needs a row in the table of commands and states`);
    assert.equal(row.states, states.map((state) => STATES[state]).join(""), name);
    assert.ok(row.right.length > 0 && row.wrong.length > 0, `${name} needs right and wrong uses`);
  }
  assert.deepEqual(Object.keys(TABLE).filter((name) => !commands.has(name)), []);
});

for (const state of Object.keys(STATES) as State[]) {
  const isAllowed = ({ states }: Row) => states.includes(STATES[state]);

  Deno.test(`${state}: what is allowed is done, or refused with its code`, async () => {
    await withServer(async (server) => {
      const helper = await prepare(server);
      for (const row of Object.values(TABLE)) {
        if (!isAllowed(row)) continue;
        for (const use of row.right) {
          uses++;
          for (const text of row.before ?? []) await helper.ok(numbered(text));
          const client = await connect(server, state);
          const result = typeof use === "object" && "run" in use
            ? await use.run(client)
            : await client.cmd(numbered(use));
          if (result) assert.equal(result.status, "OK", `${shown(use)}: ${result.text}`);
          client.close();
        }
        for (const [text, code] of row.refused ?? []) {
          const client = await connect(server, state);
          const result = await client.cmd(text);
          assert.equal(result.status, "NO", `${shown(text)}: ${result.status} ${result.text}`);
          if (code !== undefined) assert.equal(result.code, code, shown(text));
          // SELECT leaves nothing selected when it fails (RFC 9051 6.3.2).
          const left = /^(SELECT|EXAMINE) /.test(String(text)) ? "authenticated" : state;
          assert.equal(await stateOf(client), left, shown(text));
          client.close();
        }
      }
    });
  });

  Deno.test(`${state}: wrong arguments, and commands of other states, are BAD and change nothing`, async () => {
    await withServer(async (server) => {
      await prepare(server);
      for (const row of Object.values(TABLE)) {
        const texts = [...row.wrong];
        if (!isAllowed(row)) {
          for (const use of row.right) {
            texts.push(typeof use === "object" && "run" in use ? use.text : numbered(use));
          }
        }
        for (const text of texts) {
          const client = await connect(server, state);
          const result = await client.cmd(text);
          assert.equal(result.status, "BAD", `${shown(text)}: ${result.status} ${result.text}`);
          assert.deepEqual(result.untagged, [], shown(text));
          assert.equal(await stateOf(client), state, shown(text));
          client.close();
        }
      }
      const counts = await (await server.login()).ok("STATUS Box (MESSAGES)");
      assert.deepEqual(counts.untagged, ["STATUS Box (MESSAGES 12)"]);
    });
  });
}

Deno.test("in a mailbox opened by EXAMINE everything that changes it is NO", async () => {
  await withServer(async (server) => {
    const helper = await prepare(server);
    for (const row of Object.values(TABLE)) {
      if (!row.isRefusedReadOnly) continue;
      for (const use of row.right) {
        if (typeof use === "object" && "run" in use) continue;
        const client = await server.login();
        await client.ok("EXAMINE Box");
        await client.no(use);
        client.close();
      }
    }
    const counts = await helper.ok("STATUS Box (MESSAGES UNSEEN)");
    assert.deepEqual(counts.untagged, ["STATUS Box (MESSAGES 12 UNSEEN 12)"]);
  });
});

Deno.test("words that are no commands are BAD in every state, and so is UID of what has no such form", async () => {
  await withServer(async (server) => {
    await prepare(server);
    for (const state of Object.keys(STATES) as State[]) {
      for (const text of ["XNONE", "UID", "UID NOOP", "UID SELECT Box", "", " NOOP", "NOOP\0"]) {
        const client = await connect(server, state);
        await client.bad(text);
        assert.equal(await stateOf(client), state, text);
        client.close();
      }
    }
  });
});
