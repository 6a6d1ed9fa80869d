import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** Makes a self-signed certificate for 127.0.0.1 and localhost, and its key, as PEM files. */
export function makeCertificate(openssl: string, folder: string): { cert: string; key: string } {
  const cert = join(folder, 'cert.pem')
  const key = join(folder, 'key.pem')
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const args = ['req', '-x509', ...curve, '-days', '2', ...subject, '-keyout', key, '-out', cert]
  execFileSync(openssl, args, { stdio: 'pipe' })
  return { cert, key }
}

/** Self-signed, for `localhost`, valid until 2126. */
export const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgGaELebYc7nlScRWt
4XDPE3bhXJW2CNRj9Wd8IaqnO5GhRANCAASxMIOtTW0+xncR3a2xhOw/QfngGVw1
dIJyTc4RF42kg6oBVaSOm1jmH4zBZbbFCDfS1IckCr4bFEZe+cumi5jh
-----END PRIVATE KEY-----`
export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBlTCCATugAwIBAgIUMpWWWvobVd+QMPxYq0etzIwoT4cwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjA0MjcyMFoYDzIxMjYxMDI5
MDQyNzIwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASxMIOtTW0+xncR3a2xhOw/QfngGVw1dIJyTc4RF42kg6oBVaSOm1jm
H4zBZbbFCDfS1IckCr4bFEZe+cumi5jho2kwZzAdBgNVHQ4EFgQUajc45ROITrd5
ud57yz6kvEocmPQwHwYDVR0jBBgwFoAUajc45ROITrd5ud57yz6kvEocmPQwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SAAwRQIgSwP8/pjcSyirU4g8cEBdrsKCZ3QZkogOnYg4zt3FlO4CIQDWWjURs28/
CrK8DcfrGY98e5VoZ4Saf/g4kHcdJQ1wmw==
-----END CERTIFICATE-----`
