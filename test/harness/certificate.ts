import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** A certificate for 127.0.0.1 and localhost that nobody vouches for, and its key, as PEM files. */
export function makeCertificate(openssl: string, folder: string): { cert: string; key: string } {
  const cert = join(folder, 'cert.pem')
  const key = join(folder, 'key.pem')
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const args = ['req', '-x509', ...curve, '-days', '2', ...subject, '-keyout', key, '-out', cert]
  execFileSync(openssl, args, { stdio: 'pipe' })
  return { cert, key }
}
