import { parseMailboxName } from "../../store/mod.ts";
import type { Reader } from "../../wire/mod.ts";
import { command } from "../command.ts";
import { writeFlagLists } from "../format/keywords.ts";
import { bad } from "../imap_error.ts";
import type { Session } from "../session.ts";
import { writeSelectedList } from "../format/list_response.ts";
import { type QresyncParameters, readQresync, resynchronize } from "../extensions/qresync.ts";

interface SelectArguments {
  readonly name: string;
  readonly condstore: boolean;
  readonly qresync: QresyncParameters | undefined;
}

/** SELECT (RFC 9051 6.3.2) with CONDSTORE and QRESYNC parameters (RFC 7162 3.1.8, 3.2.5). */
export const selectCommand = selectForm("SELECT");

/** EXAMINE (RFC 9051 6.3.3): SELECT that changes nothing. */
export const examineCommand = selectForm("EXAMINE");

function selectForm(name: "SELECT" | "EXAMINE") {
  return command<SelectArguments>({
    name,
    states: ["authenticated", "selected"],
    rfc: name === "SELECT" ? "RFC 9051 6.3.2" : "RFC 9051 6.3.3",
    catchUp: "none",
    parse: readArguments,
    run: (session, args) => run(session, args, name === "EXAMINE"),
  });
}

function readArguments(reader: Reader): SelectArguments {
  reader.space();
  const name = reader.mailbox();
  let condstore = false;
  let qresync: QresyncParameters | undefined;
  if (reader.trySpace()) {
    const seen = new Set<string>();
    reader.list(() => {
      const parameter = reader.word();
      if (seen.has(parameter)) throw bad("Parameter given twice");
      seen.add(parameter);
      if (parameter === "CONDSTORE") condstore = true;
      else if (parameter === "QRESYNC") qresync = readQresync(reader);
      else throw bad("Unknown SELECT parameter");
    });
  }
  return { name, condstore, qresync };
}

async function run(session: Session, args: SelectArguments, isReadOnly: boolean) {
  const { modes, out } = session;
  if (args.qresync && !modes.qresync) throw bad("Enable QRESYNC first");
  if (args.qresync?.match && modes.uidOnly) {
    throw bad("Sequence match data needs sequence numbers", "UIDREQUIRED");
  }
  if (session.view) {
    session.unselect();
    out.untagged("OK [CLOSED] Previous mailbox is closed");
  }
  const name = parseMailboxName(args.name);
  if (args.condstore) session.enableCondstore();
  const claimRecent = !isReadOnly && !modes.rev2;
  const snapshot = await session.account.store.selectMailbox(name, { claimRecent });
  const { mailbox } = snapshot;
  const view = session.select(snapshot, isReadOnly);
  writeFlagLists(out, mailbox.keywords, isReadOnly);
  out.untagged(`${view.uids.size} EXISTS`);
  if (!modes.rev2) {
    out.untagged(`${view.recent.size} RECENT`);
    if (snapshot.firstUnseen !== undefined && !modes.uidOnly) {
      out.untagged(`OK [UNSEEN ${view.seqNum(snapshot.firstUnseen)}] First unseen message`);
    }
  }
  out.untagged(`OK [UIDVALIDITY ${mailbox.uidValidity}] UIDs are valid`);
  out.untagged(`OK [UIDNEXT ${mailbox.uidNext}] Next UID`);
  // Told to everyone: a client that does not know CONDSTORE ignores it (RFC 7162 3.1.2.1).
  out.untagged(`OK [HIGHESTMODSEQ ${mailbox.modSeq}] Highest mod-sequence`);
  out.untagged(`OK [MAILBOXID (${mailbox.objectId})] Mailbox id`);
  if (modes.rev2) writeSelectedList(out, mailbox);
  if (args.qresync && args.qresync.uidValidity === mailbox.uidValidity) {
    await resynchronize(session, view, args.qresync);
  }
  return {
    code: isReadOnly ? "READ-ONLY" : "READ-WRITE",
    text: isReadOnly ? "Examined" : "Selected",
  };
}
