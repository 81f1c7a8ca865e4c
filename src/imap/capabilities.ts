import type { Account } from "../store/mod.ts";
import { isDisabledFor } from "./extension.ts";
import type { Session } from "./session.ts";

/** The capabilities to announce now, in registry order (RFC 9051 6.1.1). */
function listCapabilities(session: Session): string[] {
  const names: string[] = [];
  for (const capability of session.registry.capabilities) {
    const isLoggedIn = session.login !== undefined;
    if (capability.when === "beforeLogin" && isLoggedIn) continue;
    if (capability.when === "afterLogin" && !isLoggedIn) continue;
    if (isDisabledFor(session.login?.account, capability.name)) continue;
    if (capability.if && !capability.if(session)) continue;
    names.push(capability.text?.(session) ?? capability.name);
  }
  if (session.login) names.push(...hostCapabilities(session, session.login.account));
  if (session.login === undefined) {
    names.push(...session.facts.mechanisms.map((name) => `AUTH=${name}`));
  }
  return names;
}

/** `CAPABILITY …`, as response and as response code. */
export function capabilityText(session: Session): string {
  return `CAPABILITY ${listCapabilities(session).join(" ")}`;
}

function hostCapabilities({ serverEntries }: Session, account: Account): readonly string[] {
  return (serverEntries?.capabilities?.(account) ?? [])
    .filter((name) => !isDisabledFor(account, name));
}
