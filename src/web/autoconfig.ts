import { escapeHtml } from "./html.ts";

/** One way to reach this host with a mail program. */
export interface MailService {
  readonly protocol: "imap" | "smtp";
  readonly port: number;
  readonly security: "SSL" | "STARTTLS";
}

/**
 * How to set a mail program up, in the form that Thunderbird began with and others read: the
 * services in the order in which they are to be tried.
 */
export function writeAutoconfig(
  domain: string,
  hostname: string,
  services: readonly MailService[],
): Response {
  const name = escapeHtml(domain);
  const server = ({ protocol, port, security }: MailService) => {
    const element = protocol === "imap" ? "incomingServer" : "outgoingServer";
    return `    <${element} type="${protocol}">
      <hostname>${escapeHtml(hostname)}</hostname>
      <port>${port}</port>
      <socketType>${security}</socketType>
      <authentication>password-cleartext</authentication>
      <username>%EMAILADDRESS%</username>
    </${element}>
`;
  };
  const xml = `<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="${name}">
    <domain>${name}</domain>
    <displayName>${name}</displayName>
    <displayShortName>${name}</displayShortName>
${services.map(server).join("")}  </emailProvider>
</clientConfig>
`;
  return new Response(xml, {
    headers: { "content-type": "text/xml; charset=utf-8", "x-content-type-options": "nosniff" },
  });
}
