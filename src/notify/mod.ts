/**
 * notify: nudges between connections and between processes. Laws: a nudge says "look again" and
 * carries nothing else, so the log in the store stays the one truth; lost means late, doubled means
 * nothing; nudging never waits, never fails and costs a slow listener no memory; what comes in from
 * another process is believed only as far as a nudge goes.
 */
export { createNotifier, HOST, type Notifier, type Nudge, type NudgeKind } from "./notifier.ts";
export { MAX_NUDGE_LINE_BYTES } from "./nudge_line.ts";
export { type NudgeListener, openNudgeListener, sendNudges } from "./nudge_socket.ts";
export { type NudgeWatch, watchNudges } from "./nudge_watch.ts";
