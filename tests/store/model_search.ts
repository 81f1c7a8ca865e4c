import type { Predicate } from "../../src/store/mod.ts";
import { foldCase, foldLoosely } from "../../src/store/mod.ts";
import type { ModelMessage } from "./model_account.ts";

const DAY_SECONDS = 86_400;

/** Whether a message is what `predicate` asks for: the definition that every engine must meet. */
export function matches(predicate: Predicate, message: ModelMessage): boolean {
  const { content } = message;
  switch (predicate.op) {
    case "all":
      return true;
    case "and":
      return predicate.of.every((it) => matches(it, message));
    case "or":
      return predicate.of.some((it) => matches(it, message));
    case "not":
      return !matches(predicate.of, message);
    case "uid":
      return predicate.set.has(message.uid);
    case "flags":
      return (message.flags & predicate.mask) === predicate.mask;
    case "keyword":
      return message.keywords.has(predicate.name.toLowerCase());
    case "larger":
      return content.raw.length > predicate.bytes;
    case "smaller":
      return content.raw.length < predicate.bytes;
    case "day": {
      const day = dayOf(predicate.of, message);
      if (day === undefined) return false;
      switch (predicate.is) {
        case "before":
          return day < predicate.day;
        case "on":
          return day === predicate.day;
        case "since":
          return day >= predicate.day;
      }
    }
    // falls through is impossible: every case above returns
    case "received":
      return predicate.is === "atOrBefore"
        ? message.internalDate.seconds <= predicate.seconds
        : message.internalDate.seconds >= predicate.seconds;
    case "modSeq":
      return message.modSeq >= predicate.atLeast;
    case "header": {
      const needle = foldCase(predicate.value);
      const name = predicate.name.toLowerCase();
      return content.fields.own.some((field) =>
        field.name.toLowerCase() === name && foldCase(field.value).includes(needle)
      );
    }
    case "body":
      return foldCase(content.bodyText).includes(foldCase(predicate.value));
    case "text": {
      const needle = foldCase(predicate.value);
      const { own, parts } = content.fields;
      return foldCase(content.bodyText).includes(needle) ||
        [...own, ...parts].some((field) =>
          `${foldCase(field.name)}: ${foldCase(field.value)}`.includes(needle)
        );
    }
    case "fuzzyHeader": {
      const name = predicate.name.toLowerCase();
      return content.fields.own.some((field) =>
        field.name.toLowerCase() === name && hasWords(field.value, predicate.words)
      );
    }
    case "fuzzyBody":
      return hasWords(content.bodyText, predicate.words);
    case "fuzzyText": {
      const { own, parts } = content.fields;
      const fields = [...own, ...parts].map(({ name, value }) => `${name}: ${value}`);
      return hasWords([...fields, content.bodyText].join("\n"), predicate.words);
    }
    case "emailId":
      return content.emailId === predicate.id;
    case "threadId":
      return content.threadId === predicate.id;
    default:
      return predicate satisfies never;
  }
}

function hasWords(text: string, words: readonly string[]): boolean {
  const loose = foldLoosely(foldCase(text));
  return words.every((word) => loose.includes(word));
}

function dayOf(of: "internal" | "sent" | "saved", message: ModelMessage): number | undefined {
  switch (of) {
    case "internal": {
      const { seconds, zoneMinutes } = message.internalDate;
      return Math.floor((seconds + zoneMinutes * 60) / DAY_SECONDS);
    }
    case "sent":
      return message.content.sentDay;
    case "saved":
      return Math.floor(message.saveDate / DAY_SECONDS);
  }
}
