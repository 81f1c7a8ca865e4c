import type { HostPlan } from "./config_text.ts";

export interface DnsRecord {
  readonly name: string;
  readonly type: string;
  readonly value: string;
  /** What to know of it. */
  readonly note?: string;
}

/**
 * What to publish for a host, in the form of zone files. There is no record for IMAP on port 443:
 * SRV (RFC 6186, RFC 8314) names a port and no ALPN protocol, and clients that know the way need
 * none. DKIM is for the server that sends; TLS reports (RFC 8460) are about MTA-STS and DANE, which
 * are that server's too.
 */
export function dnsRecords({ domain, hostname, isChatmail }: HostPlan): DnsRecord[] {
  const host = `${hostname}.`;
  const service = (name: string, target: string, note?: string): DnsRecord => ({
    name: `_${name}._tcp.${domain}.`,
    type: "SRV",
    value: target,
    ...(note === undefined ? {} : { note }),
  });
  return [
    { name: host, type: "A", value: "192.0.2.1", note: "put this server's IPv4 address here" },
    {
      name: host,
      type: "AAAA",
      value: "2001:db8::1",
      note: "and its IPv6 address, or leave it out",
    },
    { name: `${domain}.`, type: "MX", value: `10 ${host}` },
    service("imaps", `0 1 993 ${host}`),
    service("submissions", `0 1 465 ${host}`),
    service("submission", `10 1 587 ${host}`),
    service("imap", "0 0 0 .", "none without TLS"),
    ...(domain === hostname ? [] : [{
      name: `autoconfig.${domain}.`,
      type: "CNAME",
      value: host,
      note: "mail programs ask it",
    }]),
    {
      name: `${domain}.`,
      type: "TXT",
      value: '"v=spf1 mx ~all"',
      note: "add the relay, if mail leaves through another's",
    },
    {
      name: `_dmarc.${domain}.`,
      type: "TXT",
      value: `"v=DMARC1; p=${isChatmail ? "quarantine" : "none"}"`,
      note: "stricter once the sending server signs (DKIM)",
    },
  ];
}
