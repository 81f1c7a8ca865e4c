import { parseDurationMs, parseSizeBytes } from "../../base/mod.ts";
import { checked } from "./checked.ts";
import type { ConfigFile } from "./schema.ts";

/** A domain where accounts make themselves: who may, how much they hold, and for how long. */
export interface ChatmailConfig {
  /** In lower case. */
  readonly domain: string;
  readonly registration: "open" | "invite" | "closed";
  /** One token on each line; there exactly when registration is by invitation. */
  readonly inviteTokensFile: string | undefined;
  readonly usernameMinLength: number;
  readonly usernameMaxLength: number;
  readonly passwordMinLength: number;
  readonly maxMailboxBytes: number;
  readonly maxMessageBytes: number;
  readonly deleteMailsAfterMs: number;
  readonly deleteLargeAfterMs: number;
  readonly deleteInactiveAfterMs: number;
  /** With less than this no new accounts are made; 0: whatever there is. */
  readonly minAvailableMemoryBytes: number;
  readonly minFreeDiskBytes: number;
  /** Whether nothing but encrypted mail goes out and comes in. */
  readonly requiresEncryption: boolean;
  /** Who may send in clear all the same, and to whom: addresses and "@domain", in lower case. */
  readonly passthroughSenders: readonly string[];
  readonly passthroughRecipients: readonly string[];
  /** Header fields that mail loses on its way in. */
  readonly removedFields: readonly string[];
  readonly admin: string | undefined;
  readonly irohRelay: string | undefined;
  readonly turn:
    | { readonly host: string; readonly port: number; readonly secretFile: string }
    | undefined;
  readonly appVersions: string | undefined;
  /** Undefined: no device is woken up. */
  readonly pushUrl: string | undefined;
}

export function toChatmail(
  content: NonNullable<ConfigFile["chatmail"]>,
  resolve: (file: string) => string,
): ChatmailConfig {
  const bytes = (text: string) => checked(parseSizeBytes(text));
  const ms = (text: string) => checked(parseDurationMs(text));
  const tokens = content.invite_tokens_file;
  return {
    domain: content.domain.toLowerCase(),
    registration: content.registration,
    inviteTokensFile: tokens === undefined ? undefined : resolve(tokens),
    usernameMinLength: content.username_min_length,
    usernameMaxLength: content.username_max_length,
    passwordMinLength: content.password_min_length,
    maxMailboxBytes: bytes(content.max_mailbox_size),
    maxMessageBytes: bytes(content.max_message_size),
    deleteMailsAfterMs: ms(content.delete_mails_after),
    deleteLargeAfterMs: ms(content.delete_large_after),
    deleteInactiveAfterMs: ms(content.delete_inactive_users_after),
    minAvailableMemoryBytes: bytes(content.min_available_memory),
    minFreeDiskBytes: bytes(content.min_free_disk_space),
    requiresEncryption: content.require_encryption,
    passthroughSenders: content.passthrough_senders.map((each) => each.toLowerCase()),
    passthroughRecipients: content.passthrough_recipients.map((each) => each.toLowerCase()),
    removedFields: content.strip_incoming,
    admin: content.admin,
    irohRelay: content.iroh_relay,
    turn: content.turn_host !== undefined && content.turn_secret_file !== undefined
      ? {
        host: content.turn_host,
        port: content.turn_port,
        secretFile: resolve(content.turn_secret_file),
      }
      : undefined,
    appVersions: content.app_versions,
    pushUrl: content.push_url === "none" ? undefined : content.push_url,
  };
}
