import { DEFAULT_DATA_DIR } from "./places.ts";

/** What a configuration is written for. */
export interface HostPlan {
  /** The part of addresses behind the "@", in lower case. */
  readonly domain: string;
  /** What clients connect to, in lower case. */
  readonly hostname: string;
  readonly dataDir: string;
  /** Whether accounts make themselves in the domain. */
  readonly isChatmail: boolean;
}

/** Where Postfix delivers; the unit makes the folder. */
export const LMTP_SOCKET = "/run/postern/lmtp.sock";

/** The configuration of a new host, with a word on each thing that somebody may want to change. */
export function writeHostConfig(plan: HostPlan): string {
  const { domain, hostname, dataDir, isChatmail } = plan;
  return `# Postern's configuration for ${domain}, written by "postern quickstart".
# "postern config check" checks it, "postern config show" prints all keys with their defaults.

hostname = ${text(hostname)}
data_dir = ${text(dataDir)}${dataDir === DEFAULT_DATA_DIR ? "" : "   # the unit names it too"}

[log]
level = "info"                        # SIGHUP (systemctl reload postern) takes a new level into use

# The certificate is fetched and renewed from Let's Encrypt, whose terms of service you agree to by
# this. It must reach port 443 under the names below. Until then a self-signed certificate is shown.
[tls.acme]
directory = "https://acme-v02.api.letsencrypt.org/directory"
email = ${text(`postmaster@${domain}`)}
names = [${certificateNames(plan).map(text).join(", ")}]
# Or, instead of [tls.acme], a certificate that you have:
# [tls]
# certificate_file = "/etc/postern/fullchain.pem"
# private_key_file = "/etc/postern/privkey.pem"     # readable by the user postern

# One TLS port for everything: what the client asks for (ALPN) decides where it goes.
[[listener]]
kind = "alpn"
address = "[::]:443"                  # IPv4 too; "0.0.0.0:443" on a host without IPv6
[listener.routes]
imap = "imap"
smtp = "submission"
"http/1.1" = "web"
"acme-tls/1" = "acme"                 # validation for the certificate
none = "web"                          # a client that asks for nothing is a browser

# The ports that mail programs know.
[[listener]]
kind = "imaps"
address = "[::]:993"

[[listener]]
kind = "submissions"                  # users send here
address = "[::]:465"

[[listener]]
kind = "submission"                   # and here, with STARTTLS
address = "[::]:587"

# [[listener]]
# kind = "imap"                       # with STARTTLS, for programs that cannot do better
# address = "[::]:143"

# Mail comes in by LMTP, from a server that speaks to other hosts on port 25: Postfix, for example.
[[listener]]
kind = "lmtp"
address = "unix:${LMTP_SOCKET}"

[[listener]]
kind = "metrics"                      # Prometheus: http://127.0.0.1:9143/metrics
address = "127.0.0.1:9143"

# Mail for other hosts leaves through a relay; without one it is refused. The Postfix beside this:
# [relay]
# host = "127.0.0.1"
# port = 25
# tls = "none"
# Or a service:
# [relay]
# host = "smtp.example.net"
# username = "mailer"
# password_file = "/etc/postern/relay.password"     # readable by the user postern

[limits]
max_message_size = "50M"
max_connections = 20000

${isChatmail ? chatmailBlock(domain) : MAIL_HOST_BLOCK}`;
}

const MAIL_HOST_BLOCK = `[quota]
default = "none"                      # of accounts without one of their own: "2G"

[retention]
# trash = "30d"                       # deletes what has been in Trash for so long
`;

function chatmailBlock(domain: string): string {
  return `# Accounts make themselves: the first login with a new name and a password is one.
[chatmail]
domain = ${text(domain)}
registration = "open"                 # "invite": with a token of invite_tokens_file; "closed"
require_encryption = true             # only encrypted mail, and what sets encryption up
max_mailbox_size = "500M"
delete_mails_after = "20d"
delete_large_after = "7d"
delete_inactive_users_after = "90d"
`;
}

/** Mail programs ask autoconfig.DOMAIN how to set themselves up. */
function certificateNames({ domain, hostname }: HostPlan): string[] {
  return domain === hostname ? [hostname] : [hostname, `autoconfig.${domain}`];
}

/** A TOML string. */
function text(value: string): string {
  return JSON.stringify(value);
}
