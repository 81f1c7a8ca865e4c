/**
 * message: RFC 5322 and MIME. Laws: pure (no input or output, no clock, no waiting); any bytes are
 * a message, nothing throws and nothing is refused; everything derived has a bound in `limits.ts`
 * and takes time linear in the message; raw bytes are never changed, only pointed into; what FETCH
 * sends is written here once, in wire form, and what search compares is decoded here once.
 */
export type { Address } from "./address.ts";
export { parseAddresses } from "./address.ts";
export { decodeCharset } from "./charset.ts";
export { decodeWords } from "./encoded_word.ts";
export { headerFields, parseHeader } from "./header.ts";
export * from "./limits.ts";
export { MessageParser, parseMessage } from "./message_parser.ts";
export type { MimePart, PartTree } from "./mime_part.ts";
export type { Parameter } from "./parameters.ts";
export { parameterText } from "./parameters.ts";
export type { ParsedMessage, SortKeys } from "./parsed_message.ts";
export { decodeParts, encodeParts } from "./part_codec.ts";
export type { ByteRange, Section } from "./section.ts";
export { findPart, resolveSection } from "./section.ts";
export type { TransferDecoder } from "./transfer_decoder.ts";
export { createTransferDecoder, decodeTransfer } from "./transfer_decoder.ts";
