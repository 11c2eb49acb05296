// i18n.js: the texts of the page, in English and Chinese.

const words = {
  title: ["Skein", "Skein"],
  tagline: ["A small chat on your own server. Every frame it sends is shown beside it.", "运行在你自己服务器上的小聊天室，旁边实时展示每一帧收发的数据。"],
  name: ["Client id", "用户 ID"],
  nameHint: ["1–64 letters and digits. It is registered when it first logs in.", "1–64 位字母或数字，首次登录时自动注册。"],
  nickname: ["Display name (optional)", "昵称（可选）"],
  enter: ["Start", "开始"],
  pick: ["or be", "或者直接用"],
  fromTerminal: ["or from a terminal", "或在终端里执行"],
  node: ["This tab is connected to node {name}", "本页连接在节点 {name}"],
  conversations: ["Conversations", "会话"],
  newConversation: ["New conversation", "发起会话"],
  search: ["Search", "搜索"],
  searchConversations: ["Search conversations", "搜索会话"],
  noConversations: ["No conversations yet", "还没有会话"],
  noConversationsHow: ["Open one with somebody. It appears here as soon as either of you does.", "和某人发起一个会话。任何一方发起后，它都会立即出现在这里。"],
  nothingFound: ["Nothing found for “{q}”", "没有找到“{q}”"],
  chooseConversation: ["Choose a conversation", "选择一个会话"],
  chooseHow: ["Up and down move in the list, Enter opens, / searches.", "用上下键移动，Enter 打开，/ 搜索。"],
  nothingSaid: ["Nothing said yet", "还没有消息"],
  nothingSaidHow: ["Write below, or let the other side begin:", "在下面写一条，或者让对方先开口："],
  start: ["This is the beginning of the conversation", "会话从这里开始"],
  loadFailed: ["The messages could not be loaded", "消息加载失败"],
  tryAgain: ["Try again", "重试"],
  who: ["With whom?", "和谁聊？"],
  whoHint: ["One client id for a private talk, several (separated by spaces) for a group.", "填一个用户 ID 是私聊，多个（空格分隔）是群聊。"],
  groupName: ["Name of the group (optional)", "群名称（可选）"],
  open: ["Open", "打开"],
  openPrivate: ["Open private conversation", "打开私聊"],
  openGroup: ["Create group of {n}", "创建 {n} 人群聊"],
  cancel: ["Cancel", "取消"],
  close: ["Close", "关闭"],
  unknownHelp: ["Nobody has logged in with that id yet. Open a second tab and log in as them, then try again.", "该用户还没有登录过。打开另一个标签页用这个 ID 登录，再试一次。"],
  secondTab: ["Open a second tab", "打开另一个标签页"],
  write: ["Write a message", "输入消息"],
  writeTo: ["Write to {name}", "发消息给 {name}"],
  send: ["Send", "发送"],
  picture: ["Send a picture", "发送图片"],
  dropHere: ["Drop the picture to send it", "松开即可发送图片"],
  tooLong: ["{n} bytes too long", "超出 {n} 字节"],
  sending: ["Sending…", "发送中…"],
  waiting: ["Waiting for the connection", "等待连接恢复"],
  sent: ["Sent", "已发送"],
  received: ["Received", "已送达"],
  read: ["Read", "已读"],
  readBy: ["Read by {n}", "{n} 人已读"],
  readOf: ["{n} of {of} have read it", "{of} 人中 {n} 人已读"],
  whoRead: ["Who has read it", "查看已读成员"],
  notReceived: ["Not received yet", "未送达"],
  failed: ["Not sent", "未发送"],
  retry: ["Retry", "重试"],
  discard: ["Discard", "丢弃"],
  you: ["You", "我"],
  youInside: ["you", "自己"],
  today: ["Today", "今天"],
  yesterday: ["Yesterday", "昨天"],
  recalled: ["{name} recalled a message", "{name} 撤回了一条消息"],
  recalledOwn: ["You recalled a message", "你撤回了一条消息"],
  recalledBy: ["{who} recalled a message of {name}", "{who} 撤回了 {name} 的一条消息"],
  recalledShort: ["Recalled message", "消息已撤回"],
  rewrite: ["Write it anew", "重新编辑"],
  deleted: ["Deleted message", "消息已删除"],
  edited: ["edited", "已编辑"],
  messageActions: ["Message actions", "消息操作"],
  conversationActions: ["Conversation actions", "会话操作"],
  react: ["React", "表态"],
  reactWith: ["React with {emoji}", "用 {emoji} 表态"],
  reply: ["Reply", "回复"],
  replyTo: ["Reply to {name}", "回复{name}"],
  edit: ["Edit", "编辑"],
  editing: ["Edit the message", "编辑消息"],
  copyText: ["Copy text", "复制文本"],
  pin: ["Pin for everyone", "置顶消息"],
  unpin: ["Take the pin off", "取消置顶"],
  pinned: ["Pinned", "已置顶"],
  recall: ["Recall for everyone", "撤回"],
  deleteForMe: ["Delete for me", "仅为我删除"],
  quoteGone: ["The quoted message is not here", "引用的消息不可见"],
  toQuoted: ["Go to the quoted message", "跳到引用的消息"],
  notHere: ["That message is not here any more.", "这条消息已不在这里。"],
  pinTop: ["Keep on top", "置顶会话"],
  unpinTop: ["Do not keep on top", "取消置顶会话"],
  onTop: ["Kept on top", "已置顶会话"],
  mute: ["Mute", "免打扰"],
  unmute: ["Do not mute", "取消免打扰"],
  muted: ["Muted", "免打扰"],
  archive: ["Archive", "归档"],
  unarchive: ["Out of the archive", "移出归档"],
  archived: ["Archived · {n}", "已归档 · {n}"],
  archiveLeave: ["Back to the conversations", "返回会话列表"],
  markRead: ["Mark as read", "标为已读"],
  clearHistory: ["Clear history for me", "清空聊天记录（仅本人）"],
  unread: ["{n} unread", "{n} 条未读"],
  mentioned: ["mentioned {n} times", "{n} 条消息提到你"],
  draft: ["Draft", "草稿"],
  online: ["online", "在线"],
  lastSeen: ["last seen {at}", "最近在线 {at}"],
  typing: ["{name} is writing…", "{name} 正在输入…"],
  typingShort: ["writing…", "正在输入…"],
  typingTwo: ["{name} and {other} are writing…", "{name} 和 {other} 正在输入…"],
  typingMany: ["{n} people are writing…", "{n} 人正在输入…"],
  more: ["More", "更多"],
  pictureOf: ["Picture from {name}", "{name} 发来的图片"],
  pictureWord: ["[Picture]", "[图片]"],
  showFrom: ["Show picture from {host}", "显示来自 {host} 的图片"],
  pictureGone: ["The picture could not be loaded", "图片加载失败"],
  kindOf: ["message of type {type}", "类型为 {type} 的消息"],
  transient: ["transient, not stored", "暂态消息，不存储"],
  toEnd: ["To the newest", "回到最新"],
  newBelow: ["{n} new", "{n} 条新消息"],
  back: ["Back", "返回"],
  details: ["Members and settings", "成员与设置"],
  members: ["{n} members", "{n} 位成员"],
  private: ["private", "私聊"],
  temporary: ["temporary", "临时会话"],
  group: ["group", "群聊"],
  room: ["chat room", "聊天室"],
  owner: ["owner", "群主"],
  admin: ["admin", "管理员"],
  add: ["Add", "添加"],
  addMembers: ["Add members", "添加成员"],
  remove: ["Remove", "移除"],
  rename: ["Rename", "重命名"],
  renameTo: ["Name", "名称"],
  save: ["Save", "保存"],
  deleteConversation: ["Delete for everyone", "为所有人删除"],
  deleteSure: ["Delete for everyone? This cannot be undone.", "确定为所有人删除？此操作不可撤销。"],
  gone: ["This conversation is no longer here", "该会话已不存在"],
  goneHow: ["It was deleted, or you were removed from it.", "它已被删除，或者你已被移出。"],
  wire: ["The wire", "数据流"],
  wireShow: ["Show the wire", "显示数据流"],
  wireHide: ["Hide the wire", "隐藏数据流"],
  filter: ["Filter: msg.new  -ping  4011", "过滤：msg.new  -ping  4011"],
  filterLabel: ["Filter the wire", "过滤数据流"],
  pause: ["Pause", "暂停"],
  resume: ["Resume", "继续"],
  clear: ["Clear", "清空"],
  paused: ["Paused, {n} passed", "已暂停，略过 {n} 条"],
  wireEmpty: ["Nothing has passed yet", "还没有数据经过"],
  wireNone: ["No frame matches", "没有匹配的数据"],
  copyCurl: ["Copy as curl", "复制为 curl"],
  copyFrame: ["Copy frame", "复制帧"],
  copyAnswer: ["Copy answer", "复制响应"],
  copy: ["Copy", "复制"],
  copied: ["Copied", "已复制"],
  notCopied: ["Could not copy", "复制失败"],
  opened: ["socket opened", "连接建立"],
  closed: ["socket closed", "连接关闭"],
  sentFrame: ["sent", "发出"],
  receivedFrame: ["received", "收到"],
  connecting: ["Connecting…", "连接中…"],
  lostLine: ["Connection lost ({code}).", "连接已断开（{code}）。"],
  nextTry: ["Next try in {s} s", "{s} 秒后重试"],
  tryNumber: ["Trying again (try {n})…", "正在重试（第 {n} 次）…"],
  tryNow: ["Try now", "立即重试"],
  kicked: ["Signed out: {why} ({code}).", "已退出登录：{why}（{code}）。"],
  why_replaced: ["this client signed in on the same device elsewhere", "同一设备已在别处登录"],
  why_device_type: ["this client signed in on another device of this kind", "已在同类设备上登录"],
  why_device_limit: ["this client is signed in on too many devices", "登录的设备过多"],
  why_token_expired: ["the token has run out", "登录凭证已过期"],
  why_logged_out: ["the app's backend ended the session", "应用后台结束了会话"],
  why_deleted: ["this client was deleted", "该用户已被删除"],
  why_banned: ["this client is banned", "该用户已被封禁"],
  endedWhy: ["the server ended the session", "服务器结束了会话"],
  signInAgain: ["Sign in again", "重新登录"],
  noServer: ["The server does not answer. Is `skein serve --dev` running?", "服务器没有响应。`skein serve --dev` 在运行吗？"],
  theme: ["Theme: {v}", "主题：{v}"],
  auto: ["as the system", "跟随系统"],
  light: ["light", "浅色"],
  dark: ["dark", "深色"],
  language: ["中文", "English"],
  leave: ["Be somebody else", "换个身份"],
  skip: ["Skip to the message field", "跳到输入框"],
  code: ["code {code}", "错误码 {code}"],
  refusedName: ["The server does not take this id.", "服务器不接受这个 ID。"],
  errOffline: ["No connection to the server.", "没有连接到服务器。"],
  errLost: ["The connection broke before the answer came.", "在收到响应前连接断开了。"],
  errTimeout: ["The server did not answer in time.", "服务器没有及时响应。"],
  fix4001: ["Something is left out.", "缺少必要的内容。"],
  fix4004: ["You may not do this here.", "你没有权限执行此操作。"],
  fix4011: ["The conversation is gone.", "会话已不存在。"],
  fix4013: ["It was changed meanwhile.", "内容已被更改。"],
  fix4130: ["Make it smaller and send it again.", "请缩小后再发送。"],
  fix4290: ["Too many at once; wait a moment.", "操作太频繁，请稍候。"],
  fix4601: ["Pictures may be png, jpg, gif, webp or heic.", "图片支持 png、jpg、gif、webp、heic。"],
  fix5030: ["The server is busy or restarting.", "服务器繁忙或正在重启。"],
};

const langs = ["en", "zh-CN"];

export let lang = document.documentElement.lang.startsWith("zh") ? "zh-CN" : "en";

// has reports whether a key has a text.
export const has = (key) => Object.hasOwn(words, key);

// t is the text of a key, with values for its {names}.
export function t(key, vars = {}) {
  const text = words[key]?.[langs.indexOf(lang)] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => String(vars[name] ?? ""));
}

export function setLang(next) {
  lang = next;
  document.documentElement.lang = next;
  try { localStorage.setItem("skein.lang", next); } catch { /* for this visit only */ }
}

export function otherLang() { return lang === "en" ? "zh-CN" : "en"; }

const formats = new Map();
function format(name, options) {
  const key = `${lang} ${name}`;
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(lang, options));
  return formats.get(key);
}

export const clock = (ms) => format("clock", { hour: "2-digit", minute: "2-digit", hour12: false }).format(ms);
export const full = (ms) => format("full", { dateStyle: "full", timeStyle: "medium" }).format(ms);

export function exact(ms) {
  const d = new Date(ms);
  const pad = (n, w = 2) => String(n).padStart(w, "0");
  return `${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}.${pad(d.getMilliseconds(), 3)}`;
}

function daysAgo(ms) {
  const a = new Date(); a.setHours(0, 0, 0, 0);
  const b = new Date(ms); b.setHours(0, 0, 0, 0);
  return Math.round((a - b) / 86_400_000);
}

export function day(ms) {
  const ago = daysAgo(ms);
  if (ago === 0) return t("today");
  if (ago === 1) return t("yesterday");
  return format("day", { weekday: "long", year: "numeric", month: "long", day: "numeric" }).format(ms);
}

// brief is a time in the list: the time of day if it is today, else the date.
export function brief(ms) {
  const ago = daysAgo(ms);
  if (ago === 0) return clock(ms);
  if (ago === 1) return t("yesterday");
  return format("brief", { month: "short", day: "numeric" }).format(ms);
}

export function bytes(n) {
  if (n < 1000) return `${n} B`;
  if (n < 1_000_000) return `${(n / 1000).toFixed(1)} kB`;
  return `${(n / 1_000_000).toFixed(1)} MB`;
}

// explain describes an error: what happened and, if known, what to do.
export function explain(err) {
  if (err.kind === "offline") return t("errOffline");
  if (err.kind === "lost") return t("errLost");
  if (err.kind === "timeout") return t("errTimeout");
  const fix = words[`fix${err.code}`] ? ` ${t(`fix${err.code}`)}` : "";
  const what = err.message || t("code", { code: err.code });
  return `${what[0].toUpperCase()}${what.slice(1)}.`.replace(/[.。]\.$/, ".") + fix;
}
