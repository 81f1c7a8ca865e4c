import assert from "node:assert/strict";
import { connect } from "node:net";
import { runPostern } from "./postern_process.ts";
import {
  inNetworkOf,
  MAIL_GID,
  SERVICE_GID,
  SERVICE_UID,
  serviceCommand,
  settings,
  whyNot,
} from "./service_conditions.ts";

const reason = whyNot();

/** What the service says by sd_notify. */
function openNotifySocket(path: string) {
  const socket = Deno.listenDatagram({ transport: "unixpacket", path });
  Deno.chmodSync(path, 0o666);
  const said: string[] = [];
  const done = (async () => {
    for await (const [bytes] of socket) said.push(new TextDecoder().decode(bytes));
  })().catch(() => {});
  return { said, close: () => (socket.close(), done) };
}

async function waitFor(what: string | (() => string), isThere: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !isThere(); i++) await new Promise((done) => setTimeout(done, 25));
  assert.ok(isThere(), typeof what === "string" ? what : what());
}

/** Who may write to the socket: tries as the user and the group. */
async function mayConnect(socket: string, uid: number, gid: number): Promise<boolean> {
  const program =
    "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print(s.recv(99))";
  const { success } = await new Deno.Command("setpriv", {
    args: [
      ...[`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"],
      ...["/usr/bin/python3", "-c", program, socket],
    ],
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

Deno.test({
  name:
    "what quickstart writes runs as its unit says: no root, port 443, nothing writable but its " +
    "own" + (reason === undefined ? "" : ` (not run: ${reason})`),
  ignore: reason !== undefined,
  fn: async () => {
    const top = await Deno.makeTempDir({ prefix: "postern-unit-" });
    await Deno.chmod(top, 0o755);
    const folders = {
      top,
      run: `${top}/run`,
      data: `${top}/data`,
      notifySocket: `${top}/notify`,
    };
    const made = await runPostern([
      ...["quickstart", "example.org", "--dir", `${top}/etc`, "--data", folders.data],
      ...["--account", "alice", "--json"],
    ]);
    assert.equal(made.code, 0, made.stderr);
    const { account } = JSON.parse(made.stdout);
    const unit = await Deno.readTextFile(`${top}/etc/postern.service`);

    // What systemd does before it starts the program.
    await Deno.mkdir(`${folders.run}/postern`, { recursive: true });
    await Deno.mkdir(`${top}/root`);
    const socketFolder = `${folders.run}/postern`;
    await Deno.chmod(socketFolder, parseInt(settings(unit, "RuntimeDirectoryMode")[0] ?? "", 8));
    await Deno.chown(socketFolder, SERVICE_UID, SERVICE_GID);
    await Deno.chown(socketFolder, null, MAIL_GID); // ExecStartPre: chgrp
    await Deno.chmod(socketFolder, 0o2750); // ExecStartPre: chmod
    assert.match(unit, /^ExecStartPre=\+-\/bin\/chgrp postfix \/run\/postern$/m);
    assert.match(unit, /^ExecStartPre=\+\/bin\/chmod 2750 \/run\/postern$/m);
    await new Deno.Command("chown", {
      args: ["-R", `${SERVICE_UID}:${SERVICE_GID}`, folders.data],
    }).output();

    const notify = openNotifySocket(folders.notifySocket);
    const child = serviceCommand(unit, folders).spawn();
    let stderr = "";
    const reading = (async () => {
      for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) stderr += text;
    })();
    const stdout = new Response(child.stdout).text();
    const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
    try {
      await waitFor(() => `READY=1: ${stderr}`, () => notify.said.includes("READY=1"));

      const status = await Deno.readTextFile(`/proc/${child.pid}/status`);
      const line = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(status)?.[1];
      assert.equal(line("Uid"), Array(4).fill(SERVICE_UID).join("\t"));
      assert.equal(line("Groups")?.trim(), "");
      assert.equal(line("CapEff"), "0000000000000400", "CAP_NET_BIND_SERVICE and no other");
      assert.equal(line("CapBnd"), "0000000000000400");
      assert.equal(line("NoNewPrivs"), "1");
      assert.equal(line("Seccomp"), "2");

      const curl = inNetworkOf(
        child.pid,
        "curl",
        ...["-sk", "--user", `${account.address}:${account.password}`, "imaps://127.0.0.1:993/"],
      );
      assert.match(new TextDecoder().decode((await curl.output()).stdout), /\bINBOX\b/);
      const page = await inNetworkOf(child.pid, "curl", "-skI", "https://127.0.0.1/").output();
      assert.match(new TextDecoder().decode(page.stdout), /^HTTP\/1\.1 200/);

      const setup = await inNetworkOf(
        child.pid,
        "curl",
        ...["-sk", "https://127.0.0.1/mail/config-v1.1.xml?emailaddress=alice%40example.org"],
      ).output();
      assert.match(new TextDecoder().decode(setup.stdout), /<hostname>mail\.example\.org</);

      const socket = `${socketFolder}/lmtp.sock`;
      const { mode, uid, gid } = await Deno.stat(socket);
      assert.deepEqual([(mode ?? 0) & 0o777, uid, gid], [0o660, SERVICE_UID, MAIL_GID]);
      assert.ok(await mayConnect(socket, 40_001, MAIL_GID), "Postfix, by its only group");
      assert.ok(!await mayConnect(socket, 40_002, 40_002), "nobody else");
      for await (const { name } of Deno.readDir(folders.data)) {
        const { mode, isDirectory } = await Deno.lstat(`${folders.data}/${name}`);
        assert.equal((mode ?? 0) & 0o077, 0, `${name} is for its owner ${isDirectory}`);
      }

      child.kill("SIGHUP");
      await waitFor("reload", () => stderr.includes("configuration and certificates were read"));
      child.kill("SIGTERM");
      assert.equal((await child.status).code, 0);
      assert.deepEqual(notify.said, ["READY=1", "STOPPING=1"]);
      assert.deepEqual(
        [...Deno.readDirSync(socketFolder)].map(({ name }) => name),
        [],
        "it tidies up",
      );
      await assert.rejects(
        new Promise((_, reject) => connect({ path: socket }).on("error", reject)),
        /ENOENT/,
      );
    } finally {
      clearTimeout(timer);
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await Promise.all([child.status, reading, stdout]);
      await notify.close();
      await Deno.remove(top, { recursive: true });
    }
  },
});
