import { join } from "node:path";
import { type HostPlan, LMTP_SOCKET } from "./config_text.ts";
import type { Program } from "./program.ts";

/** One thing to do: why, and the commands for it. */
export interface Step {
  readonly text: string;
  readonly commands: readonly string[];
}

/** What was written. */
export interface WrittenFiles {
  readonly configFile: string;
  readonly unitFile: string;
  readonly sysusersFile: string;
}

/** What is left to do, in this order. */
export function nextSteps(
  plan: HostPlan,
  files: WrittenFiles,
  program: Program,
  hasAccount: boolean,
): Step[] {
  const { domain, hostname, dataDir, isChatmail } = plan;
  const isOurs = /^\/var\/lib\//.test(dataDir);
  return [
    ...(program.isAtHome
      ? [{
        text:
          "The program is in somebody's home, where the user postern may read nothing. Put it " +
          "elsewhere, /opt or /usr/local/bin, and name that place in the unit.",
        commands: [],
      }]
      : []),
    {
      text: "Read the configuration. By [tls.acme] you agree to the terms of Let's Encrypt.",
      commands: [`less ${files.configFile}`],
    },
    {
      text: "Publish the DNS records above.",
      commands: [],
    },
    {
      text: "Make the user and the service, and start it.",
      commands: [
        `install -D -m 644 ${files.sysusersFile} /etc/sysusers.d/postern.conf`,
        "systemd-sysusers",
        ...(isOurs ? [] : [`chown -R postern:postern ${dataDir}`]),
        `install -m 644 ${files.unitFile} /etc/systemd/system/postern.service`,
        "systemctl daemon-reload",
        "systemctl enable --now postern",
      ],
    },
    ...(isChatmail || hasAccount ? [] : [{
      text: "Make the first account.",
      commands: [
        `${program.commandAsUser}${configOption(files)} account add you@${domain} --generate`,
      ],
    }]),
    {
      text:
        "Have mail come in: a server that takes it on port 25, such as Postfix, passes it on. " +
        "(Debian runs that part of Postfix in a chroot, from which it would not see the socket.)",
      commands: [
        `postconf -e 'virtual_mailbox_domains = ${domain}' 'virtual_transport = lmtp:unix:${LMTP_SOCKET}'`,
        "postconf -F 'lmtp/unix/chroot = n'",
        "systemctl restart postfix postern",
      ],
    },
    {
      text: "Have mail go out: take the comment signs off one [relay] in the configuration.",
      commands: ["systemctl restart postern"],
    },
    {
      text: isChatmail
        ? `Look at it: https://${hostname}/ has the code that people scan, https://${hostname}/admin ` +
          "is the admin's."
        : `Look at it: https://${hostname}/admin with the admin's password.`,
      commands: [],
    },
  ];
}

function configOption({ configFile }: WrittenFiles): string {
  return configFile === "/etc/postern/postern.toml" ? "" : ` --config ${configFile}`;
}

export function filesIn(folder: string): WrittenFiles {
  return {
    configFile: join(folder, "postern.toml"),
    unitFile: join(folder, "postern.service"),
    sysusersFile: join(folder, "postern.sysusers"),
  };
}
