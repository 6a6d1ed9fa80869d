import { definePageErrors } from '../../platform/errors.ts'

/** The codes are those of RFC 6749 §4.1.2.1 and §5.2, RFC 7591 §3.2.2, RFC 8707 §2 and RFC 7009 §2.2.1. */
export const oauthErrors = definePageErrors({
  invalidRequest: {
    code: 'invalid_request',
    kind: 'invalid',
    message: 'A parameter is missing, is given twice, or is not what it should be.',
    translated: { tr: 'Bir parametre eksik, iki kez verilmiş ya da olması gerektiği gibi değil.' },
  },
  invalidClient: {
    code: 'invalid_client',
    kind: 'invalid',
    message: 'The client is not known here.',
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
    message: 'More is asked for than was granted.',
    translated: { tr: 'Verilen izinden fazlası isteniyor.' },
  },
  invalidTarget: {
    code: 'invalid_target',
    kind: 'invalid',
    message: 'Tokens of this server are for its /mcp alone.',
    translated: { tr: 'Bu sunucunun belirteçleri yalnızca kendi /mcp adresi içindir.' },
  },
  unsupportedGrantType: {
    code: 'unsupported_grant_type',
    kind: 'invalid',
    message: 'There are authorization_code and refresh_token.',
    translated: { tr: 'Yalnızca authorization_code ve refresh_token desteklenir.' },
  },
  unsupportedResponseType: {
    code: 'unsupported_response_type',
    kind: 'invalid',
    message: 'There is code alone.',
    translated: { tr: 'Yalnızca code desteklenir.' },
  },
  invalidRedirect: {
    code: 'invalid_redirect_uri',
    kind: 'invalid',
    message: 'The client may not be answered at this address.',
    translated: { tr: 'İstemciye bu adreste yanıt verilemez.' },
  },
  invalidClientMetadata: {
    code: 'invalid_client_metadata',
    kind: 'invalid',
    message: 'What the client says about itself cannot be used.',
    translated: { tr: 'İstemcinin kendisi hakkında bildirdikleri kullanılamıyor.' },
  },
  clientUnreachable: {
    code: 'client_metadata_unreachable',
    kind: 'invalid',
    message: 'What the client says about itself could not be fetched.',
    translated: { tr: 'İstemcinin kendisi hakkında bildirdikleri alınamadı.' },
  },
  tooManyGrants: {
    code: 'too_many_grants',
    kind: 'conflict',
    message: 'You let too many AI clients in: revoke some.',
    translated: {
      tr: 'Çok fazla yapay zekâ istemcisine izin verdiniz: bazılarının iznini kaldırın.',
    },
  },
})
