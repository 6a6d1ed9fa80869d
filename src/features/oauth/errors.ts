import { definePageErrors } from '../../platform/errors.ts'

/** The codes are those of RFC 6749 §4.1.2.1 and §5.2, RFC 7591 §3.2.2, RFC 8707 §2 and RFC 7009 §2.2.1. */
export const oauthErrors = definePageErrors({
  invalidRequest: {
    code: 'invalid_request',
    kind: 'invalid',
    message: 'A parameter is missing, given twice, or invalid.',
    translated: { tr: 'Bir parametre eksik, iki kez verilmiş ya da olması gerektiği gibi değil.' },
  },
  invalidClient: {
    code: 'invalid_client',
    kind: 'invalid',
    message: 'The client is unknown.',
    translated: { tr: 'İstemci burada tanınmıyor.' },
  },
  invalidGrant: {
    code: 'invalid_grant',
    kind: 'invalid',
    message: 'The code or token is not valid, was used, has expired, or belongs to another client.',
    translated: {
      tr: 'Kod ya da belirteç geçerli değil, kullanılmış, süresi dolmuş ya da başka bir istemciye ait.',
    },
  },
  invalidScope: {
    code: 'invalid_scope',
    kind: 'invalid',
    message: 'The scope is wider than what was granted.',
    translated: { tr: 'Verilen izinden fazlası isteniyor.' },
  },
  invalidTarget: {
    code: 'invalid_target',
    kind: 'invalid',
    message: 'Tokens of this server are only for its /mcp.',
    translated: { tr: 'Bu sunucunun belirteçleri yalnızca kendi /mcp adresi içindir.' },
  },
  unsupportedGrantType: {
    code: 'unsupported_grant_type',
    kind: 'invalid',
    message: 'Only authorization_code and refresh_token are supported.',
    translated: { tr: 'Yalnızca authorization_code ve refresh_token desteklenir.' },
  },
  unsupportedResponseType: {
    code: 'unsupported_response_type',
    kind: 'invalid',
    message: 'Only code is supported.',
    translated: { tr: 'Yalnızca code desteklenir.' },
  },
  invalidRedirect: {
    code: 'invalid_redirect_uri',
    kind: 'invalid',
    message: 'The redirect URI is not allowed for this client.',
    translated: { tr: 'İstemciye bu adreste yanıt verilemez.' },
  },
  invalidClientMetadata: {
    code: 'invalid_client_metadata',
    kind: 'invalid',
    message: 'The client metadata is not valid.',
    translated: { tr: 'İstemcinin kendisi hakkında bildirdikleri kullanılamıyor.' },
  },
  clientUnreachable: {
    code: 'client_metadata_unreachable',
    kind: 'invalid',
    message: 'The client metadata could not be fetched.',
    translated: { tr: 'İstemcinin kendisi hakkında bildirdikleri alınamadı.' },
  },
  tooManyGrants: {
    code: 'too_many_grants',
    kind: 'conflict',
    message: 'You have allowed too many AI clients: revoke some.',
    translated: {
      tr: 'Çok fazla yapay zekâ istemcisine izin verdiniz: bazılarının iznini kaldırın.',
    },
  },
})
