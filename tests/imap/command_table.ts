import assert from "node:assert/strict";
import { type CommandText, literal, type Result, type TestClient } from "../support/client.ts";
import { simpleMessage } from "../support/messages.ts";
import { PASSWORD, USER } from "../support/server.ts";

/** A command line, or what a client does whose command begins with `text`. */
export type Use =
  | CommandText
  | { readonly text: string; readonly run: (client: TestClient) => Promise<Result | void> };

export interface Row {
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

/** Every command of the registry, with right and wrong uses, for tests in every state. */
export const COMMAND_TABLE: Readonly<Record<string, Row>> = {
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
  SORT: {
    states: "s",
    right: ["SORT (DATE) UTF-8 ALL", "SORT RETURN (COUNT) (REVERSE SIZE SUBJECT) UTF-8 SEEN"],
    refused: [["SORT (DATE) X-NONE ALL", undefined]],
    wrong: ["SORT", "SORT (DATE)", "SORT (X) UTF-8 ALL", "SORT () UTF-8 ALL"],
  },
  "UID SORT": {
    states: "s",
    right: [
      "UID SORT (DATE) UTF-8 ALL",
      "UID SORT RETURN (COUNT) (REVERSE SIZE SUBJECT) UTF-8 SEEN",
    ],
    refused: [["UID SORT (DATE) X-NONE ALL", undefined]],
    wrong: ["UID SORT", "UID SORT (DATE)", "UID SORT (X) UTF-8 ALL", "UID SORT () UTF-8 ALL"],
  },
  THREAD: {
    states: "s",
    right: ["THREAD REFERENCES UTF-8 ALL", "THREAD ORDEREDSUBJECT UTF-8 SEEN"],
    wrong: ["THREAD", "THREAD X UTF-8 ALL", "THREAD REFERENCES UTF-8"],
  },
  "UID THREAD": {
    states: "s",
    right: ["UID THREAD REFERENCES UTF-8 ALL", "UID THREAD ORDEREDSUBJECT UTF-8 SEEN"],
    wrong: ["UID THREAD", "UID THREAD X UTF-8 ALL", "UID THREAD REFERENCES UTF-8"],
  },
  UIDBATCHES: {
    states: "s",
    right: ["UIDBATCHES 500", "UIDBATCHES 500 1:2"],
    refused: [["UIDBATCHES 499", "TOOSMALL"]],
    wrong: ["UIDBATCHES", "UIDBATCHES x", "UIDBATCHES 500 2:1", "UIDBATCHES 500 1:*"],
  },
  LANGUAGE: {
    states: "nas",
    right: ["LANGUAGE", "LANGUAGE en", 'LANGUAGE fr "default"'],
    refused: [["LANGUAGE fr", undefined]],
    wrong: ["LANGUAGE (en)", "LANGUAGE en "],
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
