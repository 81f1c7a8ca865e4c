/** The certificates that a server presents, chosen by the name that the client asks for. */
export class CertificateStore {}
