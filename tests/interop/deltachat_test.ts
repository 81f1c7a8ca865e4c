import assert from "node:assert/strict";
import { startPostern, withFolder } from "../app/postern_process.ts";
import { type CoreMessage, DeltaChat, findCore, type LoginParameters } from "./deltachat.ts";

const core = await findCore();

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** A chatmail host whose one port has everything. */
function hostConfig(port: number): string {
  return `
[[listener]]
kind = "alpn"
address = "127.0.0.1:${port}"
[listener.routes]
imap = "imap"
smtp = "submission"
"http/1.1" = "web"
none = "web"
[chatmail]
domain = "chat.example"
require_encryption = true
push_url = "none"
min_available_memory = "0B"
min_free_disk_space = "0B"
`;
}

/** Says a measured time in the test's output. */
function tell(what: string, sinceMs: number): void {
  // deno-lint-ignore no-console -- what the test measures is part of its result
  console.log(`${what}: ${Math.round(performance.now() - sinceMs)} ms`);
}

Deno.test({
  name: "Delta Chat: accounts by first login, mail both ways through one port, over a restart",
  ignore: core === undefined,
  fn: () => {
    const port = freePort();
    return withFolder(async ({ path, config }) => {
      const args = ["serve", "--config", config];
      let server = await startPostern(args);
      const chat = new DeltaChat(core ?? "", path);
      try {
        const join = async (name: string) => {
          const id = await chat.call<number>("add_account");
          const began = performance.now();
          const login: LoginParameters = {
            addr: `${name}@chat.example`,
            password: 'a"password\\with ~all of it',
            imapServer: "127.0.0.1",
            imapPort: port,
            imapSecurity: "ssl",
            smtpServer: "127.0.0.1",
            smtpPort: port,
            smtpSecurity: "ssl",
            certificateChecks: "acceptInvalidCertificates",
          };
          await chat.call("add_or_update_transport", id, login);
          tell(`${name} configured`, began);
          await chat.call("start_io", id);
          // What comes before the first SELECT is never fetched.
          await chat.event(id, "ImapInboxIdle");
          tell(`${name} in IDLE`, began);
          return id;
        };
        const [alice, bobby] = [await join("alice-123"), await join("bobby-123")];
        const meet = async (from: number, to: number) => {
          const [contact] = await chat.call<number[]>(
            "import_vcard_contents",
            from,
            await chat.call<string>("make_vcard", to, [1]),
          );
          assert.ok(contact);
          return await chat.call<number>("create_chat_by_contact_id", from, contact);
        };
        const toBobby = await meet(alice, bobby);
        const toAlice = await meet(bobby, alice);
        const arrival = async (at: number, from: number, send: () => Promise<unknown>) => {
          const seen = chat.events.length;
          const began = performance.now();
          await send();
          const { msgId } = await chat.event(at, "IncomingMsg", seen);
          tell(`from ${from} to ${at}`, began);
          const message = await chat.call<CoreMessage>("get_message", at, msgId);
          assert.equal(message.showPadlock, true, "it is encrypted");
          return { ...message, id: msgId };
        };
        const say = async (from: number, to: number, chatId: number, text: string) => {
          const message = await arrival(
            to,
            from,
            () => chat.call<number>("misc_send_text_message", from, chatId, text),
          );
          assert.equal(message.text, text);
        };
        await say(alice, bobby, toBobby, "hello");
        await say(bobby, alice, toAlice, "hello to you");
        await say(alice, bobby, toBobby, "once more");

        const file = `${path}/five.bin`;
        const content = new Uint8Array(5 * 1024 * 1024);
        for (let at = 0; at < content.length; at += 65_536) {
          crypto.getRandomValues(content.subarray(at, at + 65_536));
        }
        await Deno.writeFile(file, content);
        const sent = await arrival(
          bobby,
          alice,
          () =>
            chat.call<unknown>("misc_send_msg", alice, toBobby, null, file, "five.bin", null, null),
        );
        // What is large comes as a message of its own, behind the one that announces it.
        const began = performance.now();
        let whole: CoreMessage = sent;
        while (!whole.file) {
          assert.ok(performance.now() - began < 20_000, `still ${whole.downloadState}`);
          if (whole.downloadState === "Available") {
            await chat.call("download_full_message", bobby, sent.id);
          }
          await new Promise((resolve) => setTimeout(resolve, 50));
          whole = await chat.call<CoreMessage>("get_message", bobby, sent.id);
        }
        tell("five megabytes more", began);
        assert.deepEqual(await Deno.readFile(whole.file), content);

        await server.stop("SIGTERM");
        server = await startPostern(args);
        // It waits longer and longer otherwise, and connects twice in two minutes at most.
        const seen = chat.events.length;
        for (const id of [alice, bobby]) {
          await chat.call("stop_io", id);
          await chat.call("start_io", id);
        }
        for (const id of [alice, bobby]) await chat.event(id, "ImapInboxIdle", seen);
        await say(bobby, alice, toAlice, "after the restart");
        assert.doesNotMatch(server.stderr(), /@chat\.example|127\.0\.0\.1/, "no addresses");
      } catch (error) {
        throw new Error(`${chat.problems(1).join("\n")}\n${server.stderr()}`, { cause: error });
      } finally {
        await chat.close();
        await server.stop("SIGTERM");
      }
    }, hostConfig(port));
  },
});

Deno.test({
  name: "Delta Chat: five accounts by dclogin links join a group, whose mail is for all of them",
  ignore: core === undefined,
  fn: () => {
    const port = freePort();
    return withFolder(async ({ path, config }) => {
      const server = await startPostern(["serve", "--config", config]);
      const chat = new DeltaChat(core ?? "", path);
      try {
        const here = `ih=127.0.0.1&ip=${port}&is=ssl&sh=127.0.0.1&sp=${port}&ss=ssl&ic=3`;
        const began = performance.now();
        const members = await Promise.all(
          Array.from({ length: 5 }, async (_, i) => {
            const id = await chat.call<number>("add_account");
            const password = encodeURIComponent(`pass"word\\&=+ ${i}`);
            await chat.call(
              "add_transport_from_qr",
              id,
              `dclogin:member-0${i}@chat.example?p=${password}&v=1&${here}`,
            );
            await chat.call("start_io", id);
            await chat.event(id, "ImapInboxIdle");
            return id;
          }),
        );
        tell("five accounts in IDLE", began);
        const [first, ...others] = members;
        assert.ok(first);
        const group = await chat.call<number>("create_group_chat", first, "five", false);
        const invitation = await chat.call<string>("get_chat_securejoin_qr_code", first, group);
        for (const id of others) {
          const joining = performance.now();
          const seen = chat.events.length;
          await chat.call<number>("secure_join", id, invitation);
          for (let from = seen, progress = 0; progress < 1000;) {
            const event = await chat.event(id, "SecurejoinJoinerProgress", from);
            from = chat.events.findIndex((each) => each.event === event) + 1;
            progress = event.progress ?? 0;
            assert.notEqual(progress, 0, "joining failed");
          }
          tell(`account ${id} joined`, joining);
        }
        const seen = chat.events.length;
        const sending = performance.now();
        await chat.call<number>("misc_send_text_message", first, group, "to all");
        await Promise.all(others.map(async (id) => {
          for (let from = seen;;) {
            const event = await chat.event(id, "IncomingMsg", from);
            from = chat.events.findIndex((each) => each.event === event) + 1;
            const message = await chat.call<CoreMessage>("get_message", id, event.msgId);
            if (message.text === "to all") {
              return assert.equal(message.showPadlock, true);
            }
          }
        }));
        tell("one message to four", sending);
      } catch (error) {
        throw new Error(`${chat.problems(1).join("\n")}\n${server.stderr()}`, { cause: error });
      } finally {
        await chat.close();
        await server.stop("SIGTERM");
      }
    }, hostConfig(port));
  },
});
