"""The gates that the checklist itself answers: what is asked, and how the answer follows from what was found."""
