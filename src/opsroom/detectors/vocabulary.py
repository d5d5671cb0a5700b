"""The words of an injection, as alternatives of RE2: what `signals` puts together to sentences.

In folded letters (no case, no accents where they are Latin). A space stands for any run of space
and light punctuation, as in the table of signals.
"""

from typing import Final

# The rest of a sentence. Counting its letters would cost RE2 a state for each of them.
REST = r"[^.!?\n]*"

DROP = (
    r"(?:ignor\w*|disregard\w*|\bforget|\boverlook|\bneglect|\bbypass|\boverride|\boverrule"
    r"|\bset aside|\bdiscard|\bdo not (?:follow|obey|listen to|do)"
    r"|\bdon't (?:follow|obey|do)|\bstop (?:following|obeying)|\bpay no attention to"
    r"|\bno longer (?:follow|obey))"
)
RULES = (
    r"(?:\w{0,3}nstruc\w*|directives?\b|prompts?\b|guidelines?\b|guardrails?\b|programming\b"
    r"|(?:system|developer) messages?|constraints\b|directions\b|commands\b|rules\b|orders\b)"
)
EARLIER = (
    r"(?:previous|prior|above|earlier|preceding|former|original|initial|past|your|all|any|every"
    r"|these|those|system|existing)"
)
KEPT = (
    r"(?:pass ?words?|pass ?codes?|pass ?phrases?|code ?words?|magic word"
    r"|secret (?:key|word|phrase|code|token|number|information|message|instruction)s?"
    r"|(?:api|private|encryption|master) keys?|access (?:key|token|code)s?|credentials"
    r"|security (?:code|phrase)s?|login (?:details|data)|key to the \w+"
    r"|(?:confidential|classified|hidden|sensitive|internal)"
    r" (?:string|information|data|instructions|prompt|details|rules|documents?))"
)
ASK = (
    r"\b(?:what(?:'s| is| was| are| were| would)|tell|give|show|share|reveal|disclose|confirm"
    r"|provide|send me|say|print|output|repeat|spell|encode|translate|recite|leak|write|list"
    r"|display|guess|remind me|hand over|have)"
)
# What may stand between asking and the secret without changing what is asked for.
THIN = (
    r"(?:me|us|it|a|an|please|now|just|only|out|about|of|in|with|containing|is|what|all|poem|haiku"
    r"|hint|clue|song|story|rhyme|riddle|letters?|digits?|characters?|first|last|one|two|three)"
)
# What may follow a secret that is asked for: not "policy", "reset" or "field".
END = (
    r"(?:\W*$|\W*[?!.,;:)]| (?:for|to|of|in|by|from|as|using|with|and|or|letter|one|backwards|now"
    r"|again|please|here|back)\b)"
)
ABOUT = (
    r"(?:birth ?da(?:te|y)|date of birth|birth year|year of birth|birth|e-?mail(?: address)?"
    r"|address|(?:tele)?phone(?: number)?|(?:bank|account) balance|balance|credit card(?: number)?"
    r"|social security number|ssn|city of residence|residence|favou?rite \w+|initials|salary"
    r"|income|medical \w+|passport number|location|age|job|employer|family|wife|husband)\b"
)
BOT = (
    r"(?:a\.?i\.?|llm|assistant|language model|gpt\S*|chat ?gpt|claude\S*|chat ?bot|bot|agent"
    r"|automated (?:system|reader|agent|tool)|ai (?:model|system|assistant|agent|reader))"
)
SAY = r"(?:say|state|claim|declare|report|conclude|answer|respond|reply|tell)"
ANSWER = r"(?:output|sum|total|result|answer|conclusion|summary|response|review|return value)"

# Override in other languages: the verb and the noun.
ABROAD: Final = (
    # French, Spanish, Portuguese, Italian, Romanian
    (
        (
            r"(?:\bignor[aeoi]\w*|\boublie\w*|ne ten\w+ pas compte|ne tiens pas compte|\bolvid(?:a|e|en|ad|ate)\b"
            r"|haz caso omiso|hagan? caso omiso|\bdescart\w+|\besque(?:ca|cam|ce)\b|\bdesconsider\w+"
            r"|\bdimentic(?:a|ate|hi)\b|\btrascur\w+|\buita\b)"
        ),
        (
            r"(?:\binstru[ck]\w+|\bconsigne\w*|\bdirecti\w+|\bregles\b|ce qui precede|\bindicacion\w*"
            r"|\bdiretriz\w*|\bdirectri\w*|\breglas\b|\bregras\b|\blo anterior\b|\bo anterior\b|\bistruzion\w*"
            r"|\bdirettiv\w*|\bregole\b|quanto sopra|\breguli\w*)"
        ),
    ),
    # German, Dutch, Swedish, Danish, Norwegian
    (
        (
            r"(?:\bignorier\w*|\bvergiss\b|\bvergessen sie\b|\bmissacht\w*|\bnegeer\b|\bvergeet\b"
            r"|\bignorera\b|\bglom\b|\bignorer\b|\bglem\b|\bbortse\b)"
        ),
        (
            r"(?:anweisung|vorgaben|instru[ck]|regeln|befehl|das obige|bisherige|aanwijzing|regels"
            r"|anvisning|reglerna|reglene)"
        ),
    ),
    # Russian, Ukrainian, Polish, Czech, Finnish, Hungarian, Turkish, Greek; Indonesian, Vietnamese
    (
        (
            r"(?:игнорир|ігнору|забуд|не обраща.{0,4} внимани|\bz?ignoruj\w*|\bzapomnij\w*"
            r"|\bzapomen\w*|\bunohda|jata huomiotta|hagyd figyelmen|felejtsd|yok say\w*"
            r"|gormezden gel\w*|\bunut\b|dikkate alma\w*|αγνοη|ξεχα|\babaikan|\blupakan|\bbo qua"
            r"|\bpuuza|\bsahau\b|\bkalimutan|huwag pansinin)"
        ),
        (
            r"(?:инструкц|указани|правил|команд|інструкц|вказівк|instrukc|polecen|wytyczn|pokyn|ohjee"
            r"|utasitas|talimat|yonerge|kural|οδηγι|εντολ|κανον|instruksi|perintah|petunjuk|aturan"
            r"|huong dan|chi dan|maagizo|maelekezo|tagubilin|\butos\b)"
        ),
    ),
    # Chinese, Japanese, Korean
    (
        r"(?:忽略|无视|忘记|忘掉|不要理会|不理会|無視|忘記|忘れて|忘れろ|破棄|従わ|무시|잊어|잊으|따르지)",
        r"(?:指示|指令|说明|說明|规则|規則|提示|命令|以上的?(?:所有|全部)?内容|上記|ルール|プロンプト|지시|명령|지침|규칙|프롬프트)",
    ),
    # Arabic, Persian, Hebrew; Hindi, Bengali, Thai
    (
        (
            r"(?:تجاهل|انسى|انس كل|انس جميع|تجاوز|لا تتبع|نادیده|فراموش|התעלם|שכח|अनदेखा|अनदेखी|नजरअंदाज|भूल|उपेक्षा"
            r"|উপেক্ষা|ভুলে|เพิกเฉย|ละเว้น|ลืม)"
        ),
        (
            r"(?:تعليمات|أوامر|اوامر|توجيهات|قواعد|ما سبق|دستور|הוראות|הנחיות|निर्देश|आदेश|नियम|अनुदेश"
            r"|নির্দেশ|คำสั่ง|คำแนะนำ)"
        ),
    ),
)
VERB_FIRST: Final = ABROAD[:2]
VERB_LAST: Final = ABROAD[2:]
PASSAGE = (
    r"\b(?:fonction|funktion|funcion|funcao|funzione|functie|contenu|inhalt|contenido|conteudo"
    r"|contenuto|texte?|texto|testo|codigo|codice|tabelle|tabla|tabela|tabella|tableau)"
)
KEPT_ABROAD = (
    r"(?:mot de passe|passwort|kennwort|contrasena|clave secreta|\bsenha|parola d'ordine"
    r"|парол|密码|密碼|口令|パスワード|暗証番号|비밀번호|암호|كلمة المرور|كلمة السر|पासवर्ड|wachtwoord"
    r"|\bhaslo|\bheslo|\bsifre|kata sandi|κωδικο|mat khau|cle secrete|losenord|passord|adgangskode"
    r"|salasana|jelszo|\bparola\b|סיסמה|رمز عبور|رمز عبور|รหัสผ่าน|পাসওয়ার্ড)"
)
ASK_ABROAD = (
    r"(?:quel(?:le)? est|donne\w*|\bdis\b|dites|was ist|wie lautet|\bsag\w*|\bgeben|\bgib\b|nenn\w*"
    r"|cual es|\bdime\b|\bdame\b|deme|qual e\b|diga|dite|dimmi|како|скаж|\bдаи\b|сообщи|是什么|是什麼|告诉|告訴"
    r"|给我|給我|教え|何です|提供|알려|무엇|뭐|필요|ما هي|اخبرني|أخبرني|أعطني|क्या है|बता|wat is|jaki|podaj"
    r"|nedir|soyle|apa |beri|ποιο|la gi|vad ar|hva er|hvad er|jake je|mika on|\bmi a\b|מה|คืออะไร|কি|care este|ce este|چیست)"
)
SAY_ABROAD = (
    r"(?:\bdi(?:ga|tes|s|re|mmi|ci)?\b|\bindiqu\w+|\brespond\w*|\brepond\w*|\baffirm\w*|\bsag(?:e|en|t)?\b"
    r"|\bantwort\w*|\bbehaupt\w*|\bzeg\b|\bdeclar\w*|скаж|ответь|powiedz|soyle|katakan|说|說|声明|回答|言|答え"
    r"|말|대답|قل|बोल|कह|πες)"
)
USER_ABROAD = (
    r"(?:utilisateur|\bbenutzer|\bnutzer|\busuario|\butente|пользовател|用户|用戶|ユーザー|사용자|المستخدم"
    r"|उपयोगकर्ता|kullanici|pengguna|gebruiker|uzytkownik|χρηστ|anvandare|bruker)"
)
ABOUT_ABROAD = (
    r"(?:adress|e-?mail|naissance|\bgeb[ou]r|\bwohnt|\bvive\b|\bmora\b|habite|nacimiento|nascimento"
    r"|endereco|direccion|indirizzo|\bnato\b|\babita\b|nascita|живет|адрес|родил|рожден|住|地址|邮箱|生日"
    r"|住所|誕生日|メール|사는|살고|주소|생일|이메일|يعيش|عنوان|ميلاد|रहता|पता|जन्म|mieszka|woont|yasiyor|tinggal|μεν|ζει)"
)
MODE = r"(?:developer|debug|god|root|admin\w*|maintenance|override|system|sudo|unrestricted|jailbreak|dan|evil|opposite)"
CREATOR = (
    r"(?:developer|creator|maintainer|administrator|admin|owner|god|boss|manager|ceo|programmer"
    r"|supervisor|inventor|operator)"
)
CODE = r"(?:(?:^|\n)\s*(?:#|//|--)|/\*)"
MARKUP = r"(?:<!--|(?:<(?:td|tr|li|p|footer|div|span|title)\b[^<>]*>\s*)+)"
