import assert from "node:assert/strict";
import { createRegistry, type State } from "../../src/imap/mod.ts";
import type { CommandText, TestClient } from "../support/client.ts";
import { simpleMessage } from "../support/messages.ts";
import { type TestServer, withServer } from "../support/server.ts";
import { COMMAND_TABLE, type Row } from "./command_table.ts";

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
    const row = COMMAND_TABLE[name];
    assert.ok(row, `${name} needs a row in the table of commands and states`);
    assert.equal(row.states, states.map((state) => STATES[state]).join(""), name);
    assert.ok(row.right.length > 0 && row.wrong.length > 0, `${name} needs right and wrong uses`);
  }
  assert.deepEqual(Object.keys(COMMAND_TABLE).filter((name) => !commands.has(name)), []);
});

for (const state of Object.keys(STATES) as State[]) {
  const isAllowed = ({ states }: Row) => states.includes(STATES[state]);

  Deno.test(`${state}: what is allowed is done, or refused with its code`, async () => {
    await withServer(async (server) => {
      const helper = await prepare(server);
      for (const row of Object.values(COMMAND_TABLE)) {
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
      for (const row of Object.values(COMMAND_TABLE)) {
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
    for (const row of Object.values(COMMAND_TABLE)) {
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
