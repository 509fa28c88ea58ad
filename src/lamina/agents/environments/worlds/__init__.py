"""The worlds of tool-query: data drawn from a seed, the tools that read them, and questions with gold calls."""
