"""The refusals many kinds share: the code, and the words in English and in Chinese."""

_KEPT_ONLY = (
    "JPEG, PNG and WEBP pictures, PDF papers and MP4 videos can be kept: save it as one of "
    "these, or send a screenshot."
)
_KEPT_ONLY_ZH = "只接收 JPEG、PNG、WEBP 图片，PDF 文件和 MP4 视频，请另存为其中一种，或改传截图。"


def not_taken(kind: str) -> tuple[str, str, str]:
    """Evidence of a kind that can be named."""
    english = f"A file of this kind ({kind}) is not taken. {_KEPT_ONLY}"
    return "unknown_type", english, f"不接收这种文件（{kind}）。{_KEPT_ONLY_ZH}"


def other_file(kind: str) -> tuple[str, str, str]:
    """A sheet that is another kind of file."""
    english = f"This is a {kind} file, not a spreadsheet."
    return "not_a_sheet", english, f"这是 {kind} 文件，不是表格。"


EMPTY = ("empty", "The file is empty.", "文件是空的。")
NO_SHEET = ("not_a_sheet", "This is no spreadsheet we can read.", "这不是可读取的表格。")
WEB_PAGE = (
    "not_a_sheet",
    "This is a web page named like a spreadsheet; open it and save it as .xlsx.",
    "这是改了后缀的网页，请打开后另存为 .xlsx。",
)
UNPACKS_TO_TOO_MUCH = (
    "too_big",
    "The workbook unpacks to too much; save it as CSV.",
    "工作簿解压后太大，请另存为 CSV。",
)
BOOK_DAMAGED = (
    "damaged",
    "The workbook is damaged; export it again.",
    "工作簿已损坏，请重新导出。",
)
ANOTHER_ZIP = (
    "not_a_sheet",
    "This zip file is no spreadsheet we can read.",
    "这个压缩包不是可读取的表格。",
)
BOOK_LOCKED = (
    "encrypted",
    "The workbook is protected by a password; save it without one.",
    "工作簿有密码保护，请去掉密码后另存。",
)
MACROS = (
    "macros",
    "The workbook contains macros; save it without them (.xlsx).",
    "工作簿含有宏，请另存为不含宏的 .xlsx。",
)
LETTER = (
    "not_a_sheet",
    "This is a Word document, not a spreadsheet.",
    "这是 Word 文档，不是表格。",
)
PRESENTATION = (
    "not_a_sheet",
    "This is a presentation, not a spreadsheet.",
    "这是演示文稿，不是表格。",
)
DOCUMENT_TYPE = (
    "damaged",
    "The workbook has a document type declaration, which no program writes.",
    "工作簿含有文档类型声明，正常程序不会这样写，请重新导出。",
)
BOOK_EMPTY = ("empty", "The workbook is empty.", "工作簿是空的。")
NO_SUCH_PLACE = (
    "damaged",
    "The workbook names rows or columns that cannot exist.",
    "工作簿引用了不存在的行或列。",
)
KILLED = (
    "too_big",
    "The workbook is damaged or too large to open; save it as CSV.",
    "工作簿已损坏或太大，请另存为 CSV。",
)
HOLDS_TOO_MUCH = (
    "too_big",
    "The workbook holds too much; save it as CSV.",
    "工作簿内容过多，请另存为 CSV。",
)
NOT_IN_ORDER = (
    "damaged",
    "The rows of the workbook are not in their order.",
    "工作簿的行号顺序错乱，请重新导出。",
)
PDF_ACTS = (
    "active_content",
    (
        "This PDF contains a program, a form or an attached file. Print it to a new PDF "
        "(Print, then “Save as PDF”) and send that, or send a picture of it."
    ),
    ("这份 PDF 含有脚本、表单或附件。请打印成新的 PDF（打印→“另存为 PDF”）再上传，或改传图片。"),
)
PDF_DAMAGED = (
    "damaged",
    (
        "This PDF is damaged or incomplete. Print it to a new PDF (Print, then “Save as "
        "PDF”) and send that, or send a picture of it."
    ),
    ("这份 PDF 已损坏或不完整。请打印成新的 PDF（打印→“另存为 PDF”）再上传，或改传图片。"),
)
PDF_BUSY = (
    "too_complicated",
    (
        "This PDF is too complicated to be checked. Print it to a new PDF (Print, then "
        "“Save as PDF”) and send that, or send a picture of it."
    ),
    ("这份 PDF 过于复杂，无法检查。请打印成新的 PDF（打印→“另存为 PDF”）再上传，或改传图片。"),
)
UNKNOWN = (
    "unknown_type",
    (
        "This is not a picture, PDF or video, whatever its name says. JPEG, PNG and WEBP "
        "pictures, PDF papers and MP4 videos can be kept: save it as one of these, or "
        "send a screenshot."
    ),
    (
        "不管文件名怎么写，这不是图片、PDF 或视频。只接收 JPEG、PNG、WEBP 图片，PDF 文件"
        "和 MP4 视频，请另存为其中一种，或改传截图。"
    ),
)
OFFICE = not_taken("ZIP, Word, Excel")
TOO_MANY_PIXELS = (
    "too_many_pixels",
    (
        "This picture has more than 40 million pixels. Make it smaller (4000 x 3000 is "
        "plenty) and send it again."
    ),
    "图片超过 40 百万像素，请缩小（4000 x 3000 足够）后重传。",
)
PICTURE_DAMAGED = (
    "damaged",
    (
        "This picture is damaged or incomplete. Open it on your computer, save it again "
        "as JPEG or PNG, and send that file."
    ),
    "图片已损坏或不完整。请在电脑上打开，另存为 JPEG 或 PNG 后重传。",
)
MOVES = (
    "animated",
    "This picture moves. Send a still picture (JPEG, PNG), or an MP4 video.",
    "这是动图，请改传静态图片（JPEG、PNG）或 MP4 视频。",
)
VIDEO_DAMAGED = (
    "damaged",
    ("This video is damaged or incomplete. Play it once; if it runs, export it as MP4 again."),
    "视频已损坏或不完整。请先播放一遍，能播放就重新导出为 MP4。",
)
