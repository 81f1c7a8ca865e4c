import { command, SELECTED } from "../command.ts";
import type { Extension } from "../extension.ts";
import { bad } from "../imap_error.ts";
import { THREAD_ALGORITHMS, type ThreadAlgorithm, writeThreads } from "../thread_tree.ts";
import { findOrdered, type OrderedSearch, readOrderedSearch } from "./sort.ts";

/** THREAD and UID THREAD (RFC 5256 3). */
function threadForm(name: string, byUid: boolean) {
  return command<{ algorithm: ThreadAlgorithm; search: OrderedSearch }>({
    name,
    states: SELECTED,
    rfc: "RFC 5256 3",
    catchUp: byUid ? "all" : "noExpunge",
    takesSequenceNumbers: !byUid,
    parse(reader, session) {
      reader.space();
      const algorithm = THREAD_ALGORITHMS.get(reader.atom().toUpperCase());
      if (!algorithm) throw bad("Unknown threading algorithm");
      return { algorithm, search: readOrderedSearch(reader, session) };
    },
    async run(session, { algorithm, search }) {
      const { rows } = await findOrdered(session, search);
      const view = session.selected;
      const threads = writeThreads(algorithm(rows), (uid) => byUid ? uid : view.seqNum(uid));
      session.out.untagged(threads === "" ? "THREAD" : `THREAD ${threads}`);
      return { catchUp: byUid && !search.context.usesSequenceNumbers ? "all" : "noExpunge" };
    },
  });
}

/** Messages joined to conversations (RFC 5256). */
export const thread: Extension = {
  rfc: [5256],
  title: "THREAD=ORDEREDSUBJECT and THREAD=REFERENCES: conversations",
  capabilities: [
    { name: "THREAD=ORDEREDSUBJECT", when: "afterLogin" },
    { name: "THREAD=REFERENCES", when: "afterLogin" },
  ],
  commands: [threadForm("THREAD", false), threadForm("UID THREAD", true)],
};
