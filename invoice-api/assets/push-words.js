// What the codes of webhooks mean, in the reader's language.

import { say } from "./words.js";

/** Kinds of events that a member can choose: those that matter to who pays come first. */
export const EVENTS = [
  ["document_reversed", "票据冲红", "document reversed"],
  ["over_claimed", "报销超过余额", "over-claimed"],
  ["over_claim_cleared", "超额已消除", "over-claim cleared"],
  ["document_frozen", "票据冻结", "document frozen"],
  ["document_unfrozen", "票据解冻", "document unfrozen"],
  ["reversal_confirmed", "冲红已确认", "reversal confirmed"],
  ["priority_claimed", "优先支付方已报销", "a payer that comes first claimed"],
  ["share_granted", "分割单", "share granted"],
  ["claim_locked", "已锁定", "claim locked"],
  ["claim_settled", "已入账", "claim settled"],
  ["claim_released", "已释放", "claim released"],
  ["claim_reversed", "报销已冲回", "claim reversed"],
  ["document_issued", "票据开具", "document issued"],
  ["document_registered", "票据登记", "document registered"],
  ["alias_added", "增加票据的其他号码", "another identity was added"],
  ["record_refused", "记录被拒绝", "record refused"],
];

const REASONS = {
  name_unknown: ["无法解析域名。", "The host name cannot be resolved."],
  address_refused: ["目标地址属于内网、本机或保留网段。", "The address is local, private or reserved."],
  not_connected: ["无法建立连接（拒绝连接，或证书不被信任）。", "No connection: refused, or the certificate is not trusted."],
  timed_out: ["15 秒内没有完整应答。", "No whole answer within 15 seconds."],
  broken: ["连接在应答前中断。", "The connection broke before an answer."],
  redirected: ["接收方要求重定向，本节点不跟随。", "The answer is a redirection, which is not followed."],
  status_not_good: ["接收方未以 2xx 应答。", "The receiver did not answer with 2xx."],
  gone: ["接收方应答 410。", "The receiver answered 410."],
  too_long: ["地址过长。", "The URL is too long."],
  malformed: ["不是完整的网址。", "It is no whole URL."],
  scheme_refused: ["须为 https。", "It must be https."],
  user_info: ["不得含用户名或口令。", "It must not have a user name or password."],
  fragment: ["不得含 # 片段。", "It must not have a fragment."],
  port_refused: ["端口须为 443 或不小于 1024。", "The port must be 443 or at least 1024."],
};

/** A reason in words; a code that is not known stands for itself. */
export function codeText(code) {
  const words = REASONS[code];
  return words ? say(...words) : code;
}
