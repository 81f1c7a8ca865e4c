import type { MimePart } from "./mime_part.ts";
import type { Parameter, ParameterisedValue } from "./parameters.ts";
import { wireNstring, wireString } from "./wire_form.ts";

/**
 * BODYSTRUCTURE, or BODY without `extensions`, of a part (RFC 9051 7.5.2) in wire form, as raw
 * text. All extension fields are given for every part. Recursion ends at MAX_DEPTH.
 */
export function writeBodyStructure(part: MimePart, extensions: boolean): string {
  if (part.children.length > 0) return writeMultipart(part, extensions);
  let text = `(${wireString(part.type)} ${wireString(part.subtype)} `;
  text += `${writeParameters(part.parameters)} ${wireNstring(part.contentId)} `;
  text += `${wireNstring(part.description)} ${wireString(part.encoding)} ${part.size}`;
  if (part.message !== undefined) {
    text += ` ${part.message.envelope} ${writeBodyStructure(part.message, extensions)}`;
  }
  if (part.message !== undefined || part.type === "text") text += ` ${part.lines}`;
  if (extensions) text += ` ${wireNstring(part.md5)} ${writeCommonExtensions(part)}`;
  return `${text})`;
}

function writeMultipart(part: MimePart, extensions: boolean): string {
  let text = "(";
  for (const child of part.children) text += writeBodyStructure(child, extensions);
  text += ` ${wireString(part.subtype)}`;
  if (extensions) text += ` ${writeParameters(part.parameters)} ${writeCommonExtensions(part)}`;
  return `${text})`;
}

/** Disposition, language and location, which all parts have in common. */
function writeCommonExtensions(part: MimePart): string {
  return `${writeDisposition(part.disposition)} ${writeLanguages(part.languages)} ${
    wireNstring(part.location)
  }`;
}

function writeParameters(parameters: readonly Parameter[]): string {
  if (parameters.length === 0) return "NIL";
  const pairs = parameters.map(({ name, value }) => `${wireString(name)} ${wireString(value)}`);
  return `(${pairs.join(" ")})`;
}

function writeDisposition(disposition: ParameterisedValue | undefined): string {
  if (disposition === undefined) return "NIL";
  return `(${wireString(disposition.value)} ${writeParameters(disposition.parameters)})`;
}

function writeLanguages(languages: readonly string[]): string {
  const [first] = languages;
  if (languages.length <= 1) return wireNstring(first);
  return `(${languages.map(wireString).join(" ")})`;
}
