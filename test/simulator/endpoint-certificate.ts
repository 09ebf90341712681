import { randomBytes } from 'node:crypto';
import { md, pki } from 'node-forge';

const KEY_BITS = 2048;
const DAY_MS = 86_400_000;
const LIFE_DAYS = 30;
const ISSUER = [{ name: 'commonName', value: 'MicroVMs simulator, throw-away CA' }];
const SUBJECT = [{ name: 'commonName', value: 'MicroVM endpoint on loopback' }];
/** Kinds of alternative names (RFC 5280, 4.2.1.6). */
const DNS_NAME = 2;
const IP_ADDRESS = 7;

/** The certificate of all endpoints of this process, and the CA that vouches for it. The key of the CA is forgotten once it has signed. */
export class EndpointCertificate {
  /** Made at its first use: most tests open no endpoint. */
  public static get shared(): EndpointCertificate {
    return EndpointCertificate.made ??= EndpointCertificate.make();
  }

  private static made?: EndpointCertificate;

  private static make(): EndpointCertificate {
    const authority = pki.rsa.generateKeyPair(KEY_BITS);
    const server = pki.rsa.generateKeyPair(KEY_BITS);
    const ca = signed(authority.publicKey, ISSUER, authority.privateKey, [
      { name: 'basicConstraints', critical: true, cA: true, pathLenConstraint: 0 },
      { name: 'keyUsage', critical: true, keyCertSign: true },
      { name: 'subjectKeyIdentifier' },
    ]);
    const certificate = signed(server.publicKey, SUBJECT, authority.privateKey, [
      { name: 'basicConstraints', critical: true, cA: false },
      { name: 'keyUsage', critical: true, digitalSignature: true, keyEncipherment: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: [{ type: IP_ADDRESS, ip: '127.0.0.1' }, { type: DNS_NAME, value: 'localhost' }] },
    ]);
    return new EndpointCertificate(ca, certificate, pki.privateKeyToPem(server.privateKey));
  }

  private constructor(
    /** PEM of the CA, for whoever is to trust the endpoints. */
    public readonly ca: string,
    public readonly certificate: string,
    public readonly key: string,
  ) {
  }
}

function signed(publicKey: pki.PublicKey, subject: pki.CertificateField[], issuerKey: pki.rsa.PrivateKey, extensions: any[]): string {
  const certificate = pki.createCertificate();
  certificate.publicKey = publicKey;
  // Its first bit is 0: a serial number is positive.
  certificate.serialNumber = `00${randomBytes(15).toString('hex')}`;
  certificate.validity.notBefore = new Date(Date.now() - DAY_MS);
  certificate.validity.notAfter = new Date(Date.now() + LIFE_DAYS * DAY_MS);
  certificate.setSubject(subject);
  certificate.setIssuer(ISSUER);
  certificate.setExtensions(extensions);
  certificate.sign(issuerKey, md.sha256.create());
  return pki.certificateToPem(certificate);
}
