/**
 * chatmail: what a domain where accounts make themselves adds to a mail server. Laws: nothing here
 * knows a protocol, other rooms ask it questions; whoever comes first has the name; what the host
 * may refuse it refuses to newcomers alone, and those who are in stay; of a user no more is kept
 * than the day of the last login.
 */
export { disableUntilRemoval } from "./removal.ts";
export { Expiry, type ExpiryPolicy, type ExpiryServices } from "./expiry.ts";
export { InviteList } from "./invite_list.ts";
export { HostEntries, type HostFacts } from "./host_entries.ts";
export { MessageCheck, type MessageKind } from "./message_check.ts";
export { PushNotifier } from "./push_notifier.ts";
export { Registration, type RegistrationRules, type Resources } from "./registration.ts";
