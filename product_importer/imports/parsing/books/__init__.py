"""Read .xls, .xlsb, .ods and unusual .xlsx by calamine, in processes with limited time and memory."""
