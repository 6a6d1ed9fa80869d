import { z } from 'zod'
import { defineRoute } from '../../http/define-route.ts'
import { commonErrors } from '../../platform/errors.ts'
import { accessErrors } from '../../policy/errors.ts'
import { accountErrors } from '../accounts/errors.ts'
import { changePassword } from './change-password.ts'
import { sessionErrors } from './errors.ts'
import { linkDevice, redeemDeviceLink } from './link-device.ts'
import { getSessions } from './list.ts'
import { refresh } from './refresh.ts'
import { renameSession } from './rename.ts'
import {
  ChangePassword,
  DeviceLink,
  Login,
  RedeemDeviceLink,
  RefreshToken,
  RenameSession,
  Session,
  SessionId,
  TokenPair,
} from './schema.ts'
import { login, logout, revokeOtherSessions, revokeSession } from './service.ts'

export const routes = [
  defineRoute({
    method: 'post',
    path: '/api/auth/login',
    summary: 'Sign in',
    permission: 'public',
    rate: 'auth-login',
    body: Login,
    status: 200,
    output: TokenPair,
    errors: [
      sessionErrors.invalidCredentials,
      sessionErrors.accountNotActive,
      accessErrors.methodNotAllowed,
    ],
    run: login,
  }),
  defineRoute({
    method: 'post',
    path: '/api/auth/refresh',
    summary: 'Trade a refresh token for its successor and a fresh access token',
    permission: 'public',
    rate: 'unlimited',
    body: RefreshToken,
    status: 200,
    output: TokenPair,
    errors: [
      sessionErrors.invalidToken,
      sessionErrors.expiredToken,
      sessionErrors.refreshNotActive,
      sessionErrors.tokenReuseDetected,
    ],
    run: refresh,
  }),
  defineRoute({
    method: 'post',
    path: '/api/auth/logout',
    summary: 'End the session of a refresh token',
    permission: 'public',
    rate: 'unlimited',
    body: RefreshToken,
    status: 204,
    output: null,
    run: logout,
  }),
  defineRoute({
    method: 'post',
    path: '/api/auth/change-password',
    summary: 'Set a new password; every session ends',
    permission: 'signed-in',
    rate: 'auth-change-password',
    body: ChangePassword,
    status: 204,
    output: null,
    errors: [accountErrors.currentPasswordIncorrect, accountErrors.newPasswordSameAsCurrent],
    run: changePassword,
  }),
  defineRoute({
    method: 'post',
    path: '/api/auth/link-device',
    summary: 'Make a code that signs another device in, once, within two minutes',
    permission: 'signed-in',
    rate: 'auth-link-device',
    status: 200,
    output: DeviceLink,
    run: linkDevice,
  }),
  defineRoute({
    method: 'post',
    path: '/api/auth/link-device/redeem',
    summary: 'Sign in with the code of a signed-in device',
    permission: 'public',
    rate: 'auth-link-device',
    body: RedeemDeviceLink,
    status: 200,
    output: TokenPair,
    errors: [sessionErrors.invalidOrExpiredCode],
    run: redeemDeviceLink,
  }),
  defineRoute({
    method: 'delete',
    path: '/api/me/sessions',
    summary: 'Sign all your other devices out',
    permission: 'signed-in',
    rate: 'unlimited',
    status: 204,
    output: null,
    run: revokeOtherSessions,
  }),
  defineRoute({
    method: 'get',
    path: '/api/me/sessions',
    summary: 'Your signed-in devices',
    permission: 'signed-in',
    rate: 'unlimited',
    status: 200,
    output: z.array(Session),
    run: getSessions,
  }),
  defineRoute({
    method: 'patch',
    path: '/api/me/sessions/{id}',
    summary: 'Give one of your devices a name, or take it back',
    permission: 'signed-in',
    rate: 'unlimited',
    params: SessionId,
    body: RenameSession,
    status: 204,
    output: null,
    errors: [commonErrors.notFound],
    run: renameSession,
  }),
  defineRoute({
    method: 'delete',
    path: '/api/me/sessions/{id}',
    summary: 'Sign one of your devices out',
    permission: 'signed-in',
    rate: 'unlimited',
    params: SessionId,
    status: 204,
    output: null,
    errors: [commonErrors.notFound],
    run: revokeSession,
  }),
]
