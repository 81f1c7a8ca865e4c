import type { OrderRow } from "../store/mod.ts";
import { collationKey } from "./sort_order.ts";

/** A message in its thread; a dummy (RFC 5256 3) has no row: its message was not found. */
interface Node {
  row: OrderRow | undefined;
  parent: Node | undefined;
  children: Node[];
}

/** A way to thread messages. Rows ascend by UID; gives the children of the root, in order. */
export type ThreadAlgorithm = (rows: readonly OrderRow[]) => readonly Node[];

/** The algorithms by name, in capitals. */
export const THREAD_ALGORITHMS: ReadonlyMap<string, ThreadAlgorithm> = new Map([
  ["ORDEREDSUBJECT", threadBySubject],
  ["REFERENCES", threadByReferences],
]);

/** `(2)(3 6 (4 23)(44 7 96))`: threads in wire form, each message as `number` gives it. */
export function writeThreads(
  roots: readonly Node[],
  number: (uid: number) => number,
): string {
  const pieces: string[] = [];
  // A stack instead of recursion: a chain of answers may be thousands of messages deep.
  const stack: (Node | string)[] = [...roots].reverse();
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    if (typeof top === "string") {
      pieces.push(top);
      continue;
    }
    pieces.push("(");
    let node: Node = top;
    let isFirst = true;
    for (;;) {
      if (node.row) {
        pieces.push(`${isFirst ? "" : " "}${number(node.row.uid)}`);
        isFirst = false;
      }
      if (node.children.length !== 1) break;
      node = node.children[0]!;
    }
    stack.push(")");
    if (node.children.length > 1 && !isFirst) pieces.push(" ");
    for (let i = node.children.length - 1; i >= 0; i--) stack.push(node.children[i]!);
  }
  return pieces.join("");
}

/** ORDEREDSUBJECT (RFC 5256 3): one thread for each base subject, the first message on top. */
function threadBySubject(rows: readonly OrderRow[]): readonly Node[] {
  const bySubject = new Map<string, Node>();
  for (const row of [...rows].sort((a, b) => a.sentMs - b.sentMs)) {
    const subject = collationKey(row.baseSubject);
    const node = newNode(row);
    const first = bySubject.get(subject);
    if (first) first.children.push(node);
    else bySubject.set(subject, node);
  }
  return [...bySubject.values()];
}

/** REFERENCES (RFC 5256 3), in its six steps. */
function threadByReferences(rows: readonly OrderRow[]): readonly Node[] {
  const root = newNode(undefined);
  linkByReferences(rows, root);
  prune(root);
  sortSiblings(root.children);
  mergeBySubject(root);
  sortAll(root);
  return root.children;
}

/** Steps 1 and 2: links by identifiers; what has no parent becomes a child of `root`. */
function linkByReferences(rows: readonly OrderRow[], root: Node): void {
  const byId = new Map<string, Node>();
  const all: Node[] = [];
  const nodeOf = (id: string) => {
    let node = byId.get(id);
    if (!node) {
      byId.set(id, node = newNode(undefined));
      all.push(node);
    }
    return node;
  };
  const nodes = rows.map((row) => {
    const known = row.messageId === undefined ? undefined : byId.get(row.messageId);
    // Of messages with the same identifier, the first one has it.
    if (row.messageId === undefined || known?.row) {
      const node = newNode(row);
      all.push(node);
      return node;
    }
    const node = nodeOf(row.messageId);
    node.row = row;
    return node;
  });
  rows.forEach((row, i) => {
    let previous: Node | undefined;
    for (const id of row.ancestors) {
      const node = nodeOf(id);
      if (previous && !node.parent) link(node, previous);
      previous = node;
    }
    unlink(nodes[i]!);
    if (previous) link(nodes[i]!, previous);
  });
  for (const node of all) if (!node.parent) adopt(root, node);
}

/** Makes `parent` the parent, unless that would close a loop. */
function link(node: Node, parent: Node): void {
  // Only a message that has children can be above `parent`, and mostly it has none yet.
  if (node.children.length > 0 || node === parent) {
    for (let above: Node | undefined = parent; above; above = above.parent) {
      if (above === node) return;
    }
  }
  adopt(parent, node);
}

function adopt(parent: Node, node: Node): void {
  node.parent = parent;
  parent.children.push(node);
}

function unlink(node: Node): void {
  const siblings = node.parent?.children;
  if (siblings) siblings.splice(siblings.indexOf(node), 1);
  node.parent = undefined;
}

/** Step 3: dummies go, their children in their place; under the root only an only child. */
function prune(root: Node): void {
  for (const node of fromTheLeaves(root)) {
    node.children = node.children.flatMap((child) => {
      if (child.row) return [child];
      const promotes = node !== root || child.children.length < 2;
      return promotes ? child.children : [child];
    });
    for (const child of node.children) child.parent = node;
  }
}

/** Step 5: threads with the same base subject become one. */
function mergeBySubject(root: Node): void {
  const subjects = new Map<string, Node>();
  for (const node of root.children) {
    const subject = threadSubject(node);
    if (subject === "") continue;
    const known = subjects.get(subject);
    const replaces = !known || (known.row !== undefined &&
      (!node.row || (known.row.isReply && !node.row.isReply)));
    if (replaces) subjects.set(subject, node);
  }
  /** What stands in the place of a child of the root that was merged: another node, or nothing. */
  const replaced = new Map<Node, Node | undefined>();
  for (const node of root.children) {
    const subject = threadSubject(node);
    const known = subject === "" ? undefined : subjects.get(subject);
    if (!known || known === node) continue;
    replaced.set(node, undefined);
    if (!known.row && !node.row) {
      for (const child of node.children) adopt(known, child);
    } else if (!known.row || (node.row?.isReply && !known.row.isReply)) {
      adopt(known, node);
    } else {
      const dummy = newNode(undefined);
      adopt(dummy, known);
      adopt(dummy, node);
      replaced.set(known, dummy);
      subjects.set(subject, dummy);
    }
  }
  root.children = root.children.flatMap((node) => {
    return replaced.has(node) ? replaced.get(node) ?? [] : [node];
  });
}

/** The message that stands for a thread: its top, or the first child of a dummy. */
function representative(node: Node): OrderRow | undefined {
  return node.row ?? node.children[0]?.row;
}

function threadSubject(node: Node): string {
  return collationKey(representative(node)?.baseSubject ?? "");
}

/** Step 6: siblings by sent date, from the leaves up, since a dummy goes by its first child. */
function sortAll(root: Node): void {
  for (const node of fromTheLeaves(root)) sortSiblings(node.children);
}

function sortSiblings(siblings: Node[]): void {
  for (const node of siblings) if (!node.row) sortSiblings(node.children);
  siblings.sort((a, b) => {
    const left = representative(a);
    const right = representative(b);
    if (!left || !right) return 0;
    return left.sentMs - right.sentMs || left.uid - right.uid;
  });
}

/** All nodes below `root` and itself, children before their parents; without recursion. */
function fromTheLeaves(root: Node): Node[] {
  const nodes = [root];
  for (let i = 0; i < nodes.length; i++) for (const child of nodes[i]!.children) nodes.push(child);
  return nodes.reverse();
}

function newNode(row: OrderRow | undefined): Node {
  return { row, parent: undefined, children: [] };
}
