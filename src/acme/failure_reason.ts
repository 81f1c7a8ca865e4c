import { errorReason } from "../base/mod.ts";

/** Why no certificate could be had, with what to do where the words alone do not tell. */
export function failureReason(error: unknown, nowMs: number): string {
  const reason = errorReason(error);
  if (/not valid yet|NotValidYet|expired/i.test(reason)) {
    const clock = new Date(nowMs).toISOString();
    return `${reason} (this machine's clock says ${clock}: is that right?)`;
  }
  if (/badNonce/i.test(reason)) {
    return `${reason} (an answer took longer than the authority waits, or something between here ` +
      "and there keeps old answers: a proxy?)";
  }
  return reason;
}
