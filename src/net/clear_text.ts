/** What a client that speaks in clear on a TLS port is told, in its own protocol. */
import { type Bytes, decodeLatin1, encodeUtf8 } from "../base/mod.ts";

const HTTP_BODY = "This port speaks TLS: use https.\n";

/**
 * The answer to a client whose first bytes are not TLS; undefined when it is not known what it
 * speaks. Each answer is fixed text: nothing that the client sent comes back, so that a browser
 * made to connect here cannot be shown content of somebody's choice (the ALPACA attack).
 */
export function answerToClearText(firstLine: Bytes): Uint8Array<ArrayBuffer> | undefined {
  const line = decodeLatin1(firstLine);
  if (/^(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PRI) /.test(line)) {
    return encodeUtf8(
      "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n" +
        `Content-Length: ${HTTP_BODY.length}\r\n\r\n${HTTP_BODY}`,
    );
  }
  if (/^(?:EHLO|HELO|LHLO|STARTTLS|NOOP|QUIT)\b/i.test(line)) {
    return encodeUtf8("421 4.7.0 This port speaks TLS from the first byte\r\n");
  }
  if (/^[^\s(){%*"\\+]+ (?:CAPABILITY|ID|LOGIN|AUTHENTICATE|STARTTLS|NOOP|LOGOUT)\b/i.test(line)) {
    return encodeUtf8("* BYE This port speaks TLS from the first byte\r\n");
  }
  return undefined;
}
