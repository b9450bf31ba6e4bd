"""JUDGE what is wrong or unproven, with evidence. Pure: values in, values out."""
