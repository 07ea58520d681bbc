"""The words of signing in by a provider of identities, in both languages."""

import msgspec


class OutsideWords(msgspec.Struct, frozen=True, kw_only=True):
    """Signing in by a provider, and the links that an administrator makes."""

    other_way: str
    sign_in: str
    going_title: str
    going: str
    go_on: str
    leaving_title: str
    leaving: str
    astray: str
    astray_hint: str
    denied: str
    denied_hint: str
    disbelieved: str
    disbelieved_hint: str
    unlinked: str
    unlinked_hint: str
    locked: str
    locked_hint: str
    links_title: str
    links_lead: str
    links_none: str
    links_other: str
    subject: str
    subject_hint: str
    link: str
    linked: str
    linked_by: str
    unlink: str
    unlink_sure: str
    unlinked_done: str


CHINESE = OutsideWords(
    other_way="或者",
    sign_in="用“{name}”登录",
    going_title="前往“{name}”",
    going="请在对方页面登录，完成后自动回到这里。",
    go_on="没有自动跳转？点这里继续",
    leaving_title="前往“{name}”退出",
    leaving="本系统已退出。请在对方页面确认退出，否则在这台电脑上仍可不输密码再次登录。",
    astray="这次统一身份登录不能继续。",
    astray_hint="可能已超过 10 分钟、已经用过，或不是在这个浏览器里开始的。请重新点按钮登录。",
    denied="“{name}”没有同意登录。",
    denied_hint="可能在对方页面点了取消。请再试一次，或用密码登录。",
    disbelieved="“{name}”的答复没有通过校验，未登录。",
    disbelieved_hint="请再试一次；仍不行请用密码登录，并告诉系统管理员（审计日志中有原因）。",
    unlinked="你的统一身份还没有关联本系统的账户。",
    unlinked_hint="请把这个标识告诉系统管理员，由其关联到你的账户：{subject}",
    locked="你的账户已停用。",
    locked_hint="请联系系统管理员。",
    links_title="统一身份登录",
    links_lead="只有在这里关联过的身份才能登录此账户；本人启用了动态口令的，仍须输入动态口令。",
    links_none="还没有关联。",
    links_other="其他提供方，当前不能登录",
    subject="“{name}”中的身份标识",
    subject_hint="请本人先点一次统一身份登录，页面会显示标识；照抄，大小写一致。",
    link="关联",
    linked="已关联。",
    linked_by="{who} 于 {when} 关联",
    unlink="解除",
    unlink_sure="解除后此身份不能再登录，本人的登录立即结束，确定？",
    unlinked_done="已解除。",
)

ENGLISH = OutsideWords(
    other_way="or",
    sign_in="Sign in with “{name}”",
    going_title="On the way to “{name}”",
    going="Sign in there; you come back here by yourself.",
    go_on="Nothing happens? Go on here",
    leaving_title="On the way to “{name}” to sign out",
    leaving="You are signed out here. Confirm it there too: until then this PC signs in again without a password.",
    astray="This sign-in cannot go on.",
    astray_hint="It took longer than 10 minutes, was used already, or began in another browser. Use the button again.",
    denied="“{name}” did not agree to the sign-in.",
    denied_hint="Perhaps it was cancelled there. Try again, or sign in with your password.",
    disbelieved="What “{name}” answered did not pass the checks; you are not signed in.",
    disbelieved_hint="Try once more; if it stays, sign in with your password and tell the administrator, "
    "who finds the reason in the audit log.",
    unlinked="No account here is linked to you at the provider.",
    unlinked_hint="Give this subject to the administrator, who links it to your account: {subject}",
    locked="Your account is locked.",
    locked_hint="Ask the administrator.",
    links_title="Sign-in by a provider",
    links_lead="Only subjects that are linked here sign in as this account; whoever has one-time codes "
    "is still asked for one.",
    links_none="None is linked.",
    links_other="of another provider, cannot sign in now",
    subject="Subject at “{name}”",
    subject_hint="Have the person sign in with the provider once: the page shows the subject. Copy it exactly.",
    link="Link",
    linked="Linked.",
    linked_by="linked by {who} at {when}",
    unlink="Unlink",
    unlink_sure="This subject can no longer sign in, and the person is signed out at once. Go on?",
    unlinked_done="Unlinked.",
)
