/** Where a host keeps its configuration and its data, unless it is told otherwise. */
export const DEFAULT_FOLDER = "/etc/postern";
export const DEFAULT_DATA_DIR = "/var/lib/postern";
