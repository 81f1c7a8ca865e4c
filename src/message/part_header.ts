import type { Header } from "./header.ts";
import type { PartDescription } from "./mime_part.ts";
import { type Parameter, parseParameterised } from "./parameters.ts";
import { trimRaw } from "./raw_text.ts";

/** What RFC 2045 5.2 has us assume of a part that does not say what it is. */
const US_ASCII: readonly Parameter[] = [{ name: "charset", value: "us-ascii" }];

const TOKEN = /^[!#-'*+\-.0-9A-Z^-~]+$/i;

/** Reads the MIME fields of a header (RFC 2045, RFC 2183). `defaultType` is of an absent type. */
export function describePart(header: Header, defaultType: string): PartDescription {
  const disposition = header.first("content-disposition");
  const parsedDisposition = disposition === undefined ? undefined : parseParameterised(disposition);
  return {
    ...readType(header.first("content-type"), defaultType),
    encoding: readEncoding(header.first("content-transfer-encoding")),
    contentId: header.first("content-id") || undefined,
    description: header.first("content-description") || undefined,
    md5: header.first("content-md5") || undefined,
    disposition: parsedDisposition?.value ? parsedDisposition : undefined,
    languages: (header.first("content-language") ?? "").split(",").map(trimRaw)
      .filter((tag) => tag !== "").slice(0, 100),
    location: header.first("content-location")?.replace(/[ \t]+/g, "") || undefined,
    envelope: "",
  };
}

type TypeFields = Pick<PartDescription, "type" | "subtype" | "parameters">;

function readType(raw: string | undefined, defaultType: string): TypeFields {
  if (raw === undefined) return splitType(defaultType);
  const { value, parameters } = parseParameterised(raw);
  const [type = "", subtype = "", ...more] = value.split("/");
  if (TOKEN.test(type) && TOKEN.test(subtype) && more.length === 0) {
    return { type, subtype, parameters };
  }
  // An old habit, from before types had subtypes.
  if (value === "text") return { type, subtype: "plain", parameters };
  return splitType("text/plain");
}

/** A type that is assumed, with the charset that is assumed with it. */
export function splitType(mediaType: string): TypeFields {
  const [type = "", subtype = ""] = mediaType.split("/");
  return { type, subtype, parameters: type === "text" ? US_ASCII : [] };
}

function readEncoding(raw: string | undefined): string {
  return parseParameterised(raw ?? "").value || "7bit";
}
