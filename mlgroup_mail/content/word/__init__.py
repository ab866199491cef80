"""Word documents: what becomes of them as the text of a campaign, and what is told about the rest.

Package -> preparing -> HTML (mammoth) -> blocks -> steps -> Markdown.
"""
