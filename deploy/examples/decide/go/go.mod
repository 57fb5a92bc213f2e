module decide

go 1.22
