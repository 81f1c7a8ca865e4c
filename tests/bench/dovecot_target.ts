import { delay, freePort, PASSWORD, type Target } from "./target.ts";

/** Owner of the mail: an account that every Debian has. */
const MAIL_USER = "mail";

/**
 * Debian's Dovecot with defaults but for paths, ports and limits on connections; undefined when it
 * is not installed or may not be started. `folder` has certificate.pem and key.pem.
 */
export async function startDovecot(
  folder: string,
  format: "sdbox" | "maildir" = "sdbox",
): Promise<Target | undefined> {
  const version = await versionOf();
  // Its processes change their user.
  if (version === undefined || Deno.uid() !== 0) return undefined;
  const [port, tlsPort, lmtpPort] = [freePort(), freePort(), freePort()];
  await Deno.mkdir(`${folder}/mail`);
  // The mail's owner must be able to come to it.
  await Deno.chmod(folder, 0o755);
  await run("chown", [`${MAIL_USER}:${MAIL_USER}`, `${folder}/mail`]);
  const config = `${folder}/dovecot.conf`;
  await Deno.writeTextFile(
    config,
    `protocols = imap lmtp
listen = 127.0.0.1
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/dovecot.log
ssl = yes
ssl_cert = <${folder}/certificate.pem
ssl_key = <${folder}/key.pem
disable_plaintext_auth = no
mail_location = ${format}:~/mail
first_valid_uid = 1
mail_max_userip_connections = 10000
default_vsz_limit = 1G
passdb {
  driver = static
  args = password=${(await passwordHash()).trim()}
}
userdb {
  driver = static
  args = uid=${MAIL_USER} gid=${MAIL_USER} home=${folder}/mail/%u allow_all_users=yes
}
namespace inbox {
  inbox = yes
}
service imap-login {
  # The documented high-performance mode: processes are kept.
  service_count = 0
  process_min_avail = 2
  client_limit = 4000
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = ${tlsPort}
    ssl = yes
  }
}
service imap {
  process_limit = 4000
}
service auth {
  client_limit = 10000
}
service anvil {
  client_limit = 10000
}
service lmtp {
  inet_listener lmtp {
    port = ${lmtpPort}
  }
}
`,
  );
  let child = await serve(config, port);
  return {
    name: "Dovecot",
    setup: `${version}, ${format}, mail_fsync=optimized, login processes kept, SHA512-CRYPT`,
    port,
    tlsPort,
    lmtpPort,
    caCerts: [await Deno.readTextFile(`${folder}/certificate.pem`)],
    get pid() {
      return child.pid;
    },
    async restart() {
      await end(child);
      child = await serve(config, port);
    },
    stop: () => end(child),
  };
}

async function versionOf(): Promise<string | undefined> {
  try {
    await Deno.stat("/usr/lib/dovecot/imap");
    return (await run("dovecot", ["--version"])).trim().split(" ")[0];
  } catch {
    return undefined;
  }
}

function passwordHash(): Promise<string> {
  return run("doveadm", ["pw", "-s", "SHA512-CRYPT", "-p", PASSWORD]);
}

async function run(program: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args] }).output();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** Starts it in the foreground and waits until it takes connections. */
async function serve(config: string, port: number): Promise<Deno.ChildProcess> {
  const child = new Deno.Command("dovecot", {
    args: ["-F", "-c", config],
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  for (let tries = 0; tries < 200; tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return child;
    } catch {
      await delay(20);
    }
  }
  child.kill("SIGTERM");
  throw new Error("Dovecot did not start");
}

async function end(child: Deno.ChildProcess): Promise<void> {
  child.kill("SIGTERM");
  await child.status;
}
